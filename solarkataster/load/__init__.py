"""What buildings use, and what of a yield they use themselves."""
