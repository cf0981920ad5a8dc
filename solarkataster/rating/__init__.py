"""Classes with reasons, protection, duties, sums and lists: tables in, tables out."""
