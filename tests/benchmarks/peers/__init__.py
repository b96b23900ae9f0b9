"""What users would otherwise pick, written as its documentation teaches: the same job, beside Seatline in one run.

One rule: the modules of the peers themselves run in an environment of their own and import nothing of Seatline.
"""
