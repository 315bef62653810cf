"""Loop nests to machine code: text of LLVM, and what Python needs to call it."""
