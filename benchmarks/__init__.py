"""Speed and memory, as ratios and bounds taken in one run."""
