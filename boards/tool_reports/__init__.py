"""What the tools report, as records that were checked; and what a design must not have lost."""
