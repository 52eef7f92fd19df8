"""Evidence in one file: results packed with checksums, read without trust, and trained again to see whether they are true.

manifest.py    what a bundle holds, and within which limits
packing.py     from a results folder to a bundle
unpacking.py   from a bundle that anybody may have made to a folder
crosschecks.py what of a bundle contradicts itself
comparison.py  a run of a bundle and the same run trained here
verifying.py   a random share of a bundle's runs, trained again
"""
