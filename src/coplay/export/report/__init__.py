"""A study in one self-contained page: `writing.write_report`.

`findings` computes tables from an export, `charts` draws them, `page` lays them out.
"""
