"""What things are: values and pure functions. No file, no network, no clock."""
