"""Clean-ups and the last steps before emission: passes `Function -> Function`.

After each transform, to a fixpoint:
    hints      names that say nothing go           prune      slots that are another value all along
    simplify   local rewrites, from tables         join       neighbouring ifs of one condition
    cse        what is computed twice              stores     writes to what nobody reads any more
    dce        what nobody reads
Before emission, once:
    order      what reads an old value comes before the new one is written
    unname     names only for what is worth a statement
    repeat     `x[i] * x[i]` rather than a name for `x[i]`
    bufferize  which writes happen in place, and which copies that takes
`inline` puts small callees in place of their calls. `base.py` has the contract.
"""
