/* The core as others see it. */
#include "inside.h"

void
sa_core_add_counts(struct sa_stream_counts *sum, const struct sa_stream_counts *counts)
{
    sum->lines += counts->lines;
    sum->bytes += counts->bytes;
    sum->responses += counts->responses;
    sum->matched += counts->matched;
    sum->unmatched += counts->unmatched;
    sum->oversize += counts->oversize;
    sum->match_limit += counts->match_limit;
    sum->nul_bytes += counts->nul_bytes;
    sum->partial_dropped += counts->partial_dropped;
}

struct sa_stream_counts
sa_core_counts(const struct core_source *source)
{
    struct sa_stream_counts sum = source->closed;

    for (const struct sa_core_stream *stream = source->streams; stream != NULL; stream = stream->next)
        sa_core_add_counts(&sum, &stream->stream.counts);
    sum.responses = sa_tally_responses(source->tally); /* what counts, not what was logged again */
    return sum;
}

static struct sa_stream_counts
totals(const struct sa_core *core)
{
    struct sa_stream_counts sum = core->absent;

    for (unsigned i = 0; i < core->config->n_sources; i++) {
        struct sa_stream_counts counts = sa_core_counts(&core->sources[i]);

        sa_core_add_counts(&sum, &counts);
    }
    return sum;
}

struct sa_core_view
sa_core_view(const struct sa_core *core)
{
    struct sa_core_view view = {
        .config = core->config,
        .start_ms = core->start_ms,
        .since_ms = core->since_ms,
        .config_ms = core->config_ms,
        .totals = totals(core),
        .tally = core->tally,
        .worst = sa_alarms_worst(core->alarms),
        .alarms_changed_ms = sa_alarms_changed_ms(core->alarms),
        .outbox = core->outbox,
    };

    view.alarms = sa_alarms_active(core->alarms, &view.n_alarms);
    return view;
}

struct sa_core_source
sa_core_source(const struct sa_core *core, unsigned number)
{
    const struct core_source *source = &core->sources[number];

    return (struct sa_core_source){
        .def = source->def,
        .index = sa_core_index(core, source->def->name),
        .format = source->format,
        .format_text = sa_format_describe(source->format),
        .tally = source->tally,
        .counts = sa_core_counts(source),
        .last_line_ms = source->last_line_ms,
        .last_response_ms = source->last_response_ms,
        .undercount = source->undercount,
        .refused = source->refused,
        .forgotten = source->recent == NULL ? 0 : sa_recent_forgotten(source->recent),
        .gave_up = source->gave_up,
    };
}
