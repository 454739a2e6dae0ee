"""Stand-ins for drawing libraries such as pygame, in browsers where the study draws instead."""
