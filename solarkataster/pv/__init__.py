"""Light into electricity: plants, their hours, their losses, how far a yield may be off."""
