//! What was measured: journal, raw measures, aggregates, blocks.
