# The front door; the build itself is CMakeLists.txt.
PACKAGES = build-essential cmake pkg-config libsnmp-dev libevent-dev libconfuse-dev libjansson-dev libpcre2-dev \
           libsqlite3-dev zlib1g-dev libzstd-dev liblzma-dev libbz2-dev liblz4-dev libsystemd-dev libncurses-dev uthash-dev gettext \
           libcmocka-dev snmp snmpd snmptrapd smitools erlang-snmp python3 python3-pytest valgrind systemd mandoc tmux \
           bindfs zstd lz4 systemd-journal-remote
BUILD    = build
JOBS     = 2
CTEST    = ctest --test-dir $(BUILD) --output-on-failure --no-tests=error -j4
SUDO     = $(shell [ "$$(id -u)" = 0 ] || echo sudo)

.PHONY: all deps build demo test test-long bench clean

all: build

# Installs what is missing, and asks nobody for anything if nothing is.
deps:
	@missing=; for p in $(PACKAGES); do \
	  dpkg-query -W -f '$${Status}\n' $$p 2>/dev/null | grep -q 'ok installed' || missing="$$missing $$p"; done; \
	if [ -n "$$missing" ]; then echo "installing:$$missing"; \
	  $(SUDO) apt-get -qq update && \
	  $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends $$missing; fi

build: deps
	@[ -f $(BUILD)/CMakeCache.txt ] || cmake -B $(BUILD) -DCMAKE_BUILD_TYPE=Release $(CMAKE_OPTIONS)
	@cmake --build $(BUILD) -j$(JOBS)

demo: build
	@tests/demo/demo.sh $(BUILD)

# What was skipped, and why, is said at the end.
test: build
	@$(CTEST); status=$$?; grep -h '^SKIPPED' $(BUILD)/Testing/Temporary/LastTest.log | sort -u; exit $$status

# Minutes more of what `make test` takes a sample of: a thousand histories of logs on a file system that lies.
test-long: build
	@SIPALERT_BUILD=$(abspath $(BUILD)) SIPALERT_HISTORIES=$${SIPALERT_HISTORIES:-1000} TZ=UTC PYTHONDONTWRITEBYTECODE=1 \
	  /usr/bin/python3 -m pytest -q -rs -p no:cacheprovider tests/system/test_lying_fs.py \
	  tests/system/test_lying_histories.py

bench: build
	@/usr/bin/python3 tests/bench/bench.py $(BUILD)

clean:
	rm -rf $(BUILD)
