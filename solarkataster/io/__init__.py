"""The only place that opens files: reads and writes, computes nothing."""
