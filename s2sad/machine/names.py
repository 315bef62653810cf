"""What the text of a kernel and what loads it agree on: names, and where objects of Python have fields."""

from __future__ import annotations

ENTRY = "s2sad_entry"
TABLE = "s2sad.numpy"  # NumPy's table of C functions
KEPT = "s2sad.kept"  # the most bytes of a block that is kept, then the places
FEW = 8  # places: threads in kernels at a time for which memory is kept
THREADS = "s2sad.threads"  # how many there are, and the least work for them, in operations
CREATE, JOIN = "pthread_create", "pthread_join"
# what an object of NumPy's array type has where, and its dtype
DATA, NDIM, SIZES, STRIDES, DESCR, FLAGS = 16, 24, 32, 40, 56, 64
ORDER, NUMBER = 26, 28
