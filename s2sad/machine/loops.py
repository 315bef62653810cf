"""Text of loops by a counter, and of items of matrices of doubles that lie in rows."""

from __future__ import annotations


def counted(i: str, first: str, end: str, inside: str, step: int = 1) -> str:
    """Return a loop over an index; `end` is the first that has no trip."""
    return f"""  br label %to_{i}
to_{i}:
  br label %head_{i}
head_{i}:
  %{i} = phi i64 [ {first}, %to_{i} ], [ %{i}_next, %last_{i} ]
  %{i}_more = icmp {"slt" if step > 0 else "sgt"} i64 %{i}, {end}
  br i1 %{i}_more, label %body_{i}, label %after_{i}
body_{i}:
{inside}  br label %last_{i}
last_{i}:
  %{i}_next = add nsw i64 %{i}, {step}
  br label %head_{i}
after_{i}:
"""


def item(name: str, row: str, column: str, of: str = "a", width: str = "n") -> str:
    """Return the address of an item as `%name_at`, and the item."""
    return f"""  %{name}_row = mul nsw i64 {row}, %{width}
  %{name}_place = add nsw i64 %{name}_row, {column}
  %{name}_at = getelementptr inbounds double, ptr %{of}, i64 %{name}_place
  %{name} = load double, ptr %{name}_at
"""
