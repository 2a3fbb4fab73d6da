"""The peers that `python -m bench peers` holds the tool against: a runner each, in an environment of its own."""
