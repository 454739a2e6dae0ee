"""The parts of a check that run in the examined process, in CPython and in WebAssembly.

They may import `coplay.envs` and `coplay.netcode` only: nothing else of coplay is there in WebAssembly.
"""
