"""Does the data fit the strategy? Measures of real requests, and what they contradict."""
