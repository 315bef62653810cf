"""Methods of random streams."""

from __future__ import annotations

from typing import Any

from s2sad.errors import UnsupportedOp
from s2sad.frontend.arrays import describe
from s2sad.frontend.recipes import Recipes
from s2sad.frontend.values import Abstract, Num, Ref, Static
from s2sad.ops import OPS, draw
from s2sad.ops.expr import apply


class Streams(Recipes):
    """Draws."""

    def call_stream(
        self,
        stream: Num,
        attr: str,
        args: tuple[Abstract, ...],
        kwargs: dict[str, Abstract],
        node: Any,
        name: str,
    ) -> Abstract:
        """Return the result of a method of a random stream."""
        if attr == "shuffle":
            return self.shuffled(stream, args, kwargs, node)
        if attr == "seed" and len(args) == 1 and not kwargs:
            self.builder.emit_all(OPS["seed"], self.operand(stream), self.operand(args[0], node))
            return Static(None)
        call = draw(attr)
        if call is None or not hasattr(stream.operand.type.cls, attr):  # type: ignore[union-attr]
            raise UnsupportedOp(
                "S201",
                f"the method `.{attr}()` of a random stream has no rule",
                "call it before the differentiated function, and pass what it draws",
                self.place(node),
            )
        return self.call_op(call, (stream, *args), kwargs, node, name)

    def shuffled(
        self, stream: Num, args: tuple[Abstract, ...], kwargs: dict[str, Abstract], node: Any
    ) -> Abstract:
        """`rng.shuffle(x)`: the rows of x in the order that `rng.permutation` draws, as NumPy does it."""
        x = self.contents(args[0]) if args else None
        if len(args) != 1 or kwargs or not isinstance(x, Ref) or not x.type.ndim:
            what = describe(args[0]) if args else "nothing"
            raise self.refuse(
                "S118", f"shuffle of {what} is not supported", "shuffle a whole array along axis 0", node
            )
        call = draw("permutation")
        assert call is not None
        self.write(x, None, self.call_op(call, (stream, x), {}, node, ""))
        return Static(None)

    def call_seed(
        self, args: tuple[Abstract, ...], kwargs: dict[str, Abstract], node: Any, name: str
    ) -> Abstract:
        """`np.random.seed(n)`."""
        return self.call_stream(self.numpy_random(), "seed", args, kwargs, node, name)

    def call_shuffle(
        self, args: tuple[Abstract, ...], kwargs: dict[str, Abstract], node: Any, name: str
    ) -> Abstract:
        """`np.random.shuffle(x)`."""
        return self.shuffled(self.numpy_random(), args, kwargs, node)

    def numpy_random(self) -> Num:
        """Return the stream that np.random itself draws from."""
        found = self.absorb(apply("numpy_random"), {})
        assert isinstance(found, Num)
        return found
