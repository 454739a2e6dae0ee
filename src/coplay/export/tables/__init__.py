"""The tables of an export, written part by part."""
