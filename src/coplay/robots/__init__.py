"""`coplay robots`: synthetic participants in real tabs of a headless Chromium."""
