"""One cell of LeNet's first convolution and one of the pooling after it, every number written out."""

from typing import TYPE_CHECKING

import numpy as np

from hf_llm.app.views import code, figure_data, heat_map, message, savable
from hf_llm.texts import Language, number, text

if TYPE_CHECKING:
    import torch

    from hf_llm.models.modeling_lenet import LeNetForImageClassification

MAPS, SIDE = 6, 28  # of C1 in the LeNet that hf-llm train_mnist trains


def written_out(
    name: str, model: "LeNetForImageClassification", pixel_values: "torch.Tensor", feature_map: int, row: int,
    column: int, lang: Language,
) -> str:  # fmt: skip
    """Return the map with its cells to choose from, the convolution of one cell, and the pooling that it goes into.

    Args:
        name: The model's, for the call that is shown.
        model: A LeNet.
        pixel_values: One image, (1, 1, 28, 28).
        feature_map, row, column: The cell of C1.

    Raises:
        UserError: When there is no such cell.
    """
    import torch

    from hf_llm.explain.convolution_cell import convolution_cell, pooling_cell

    cell = convolution_cell(model, pixel_values, feature_map, row, column)
    pool = pooling_cell(model, pixel_values, feature_map, row // 2, column // 2)
    with torch.no_grad():
        whole = model(pixel_values=pixel_values, output_hidden_states=True).hidden_states[0][0, feature_map].numpy()
    positions = [str(position) for position in range(SIDE)]
    summed = text(
        "mnist.sum", lang, products=float(cell.products.sum()), bias=cell.bias, sum=cell.sum,
        activation=cell.activation, output=cell.output,
    )  # fmt: skip
    pooled = text(
        "mnist.pooled", lang, row=row // 2, column=column // 2, kind=text(f"mnist.pooling.{pool.kind}", lang),
        values="; ".join(number(float(value), lang, ".4f") for value in pool.window.flat), output=pool.output,
    )  # fmt: skip
    records = [
        {"position": f"({r}, {c})", "pixel": float(cell.patch[r, c]), "weight": float(cell.kernel[r, c]),
         "product": float(cell.products[r, c])}
        for r in range(cell.patch.shape[0]) for c in range(cell.patch.shape[1])
    ]  # fmt: skip
    source = (
        "from hf_llm.explain.convolution_cell import convolution_cell, pooling_cell\n\n"
        f"convolution_cell(model, pixel_values, feature_map={feature_map}, row={row}, column={column})\n"
        f"pooling_cell(model, pixel_values, feature_map={feature_map}, row={row // 2}, column={column // 2})"
    )
    return (
        heat_map(
            whole.tolist(), positions, positions, text("mnist.map_cells", lang, model=name, map=feature_map), lang,
            chosen=(row, column), numbers=False,
        )
        + '<div class="arithmetic">'
        + numbers(cell.patch, text("mnist.patch", lang), lang) + '<span aria-hidden="true">×</span>'
        + numbers(cell.kernel, text("mnist.kernel", lang), lang) + '<span aria-hidden="true">=</span>'
        + numbers(cell.products, text("mnist.products", lang), lang)
        + "</div>" + message(summed)
        + '<div class="arithmetic">' + numbers(pool.window, text("mnist.window", lang), lang) + "</div>"
        + message(pooled)
        + figure_data("convolution", records, "mnist.column",
                      text("mnist.cell", lang, map=feature_map, row=row, column=column), lang)
        + code(source, lang)
    )  # fmt: skip


def numbers(values: np.ndarray, caption: str, lang: Language) -> str:
    """Return a small matrix as a table of shaded numbers; negative ones take the second colour."""
    greatest = float(np.abs(values).max()) or 1.0
    rows = "".join(
        "<tr>" + "".join(
            f'<td class="{"minus" if value < 0 else ""}" style="--shade:{abs(value) / greatest:.3f}">'
            f"{number(float(value), lang, '.2f')}</td>" for value in row
        ) + "</tr>" for row in values
    )  # fmt: skip
    table = f'<table class="numbers"><caption>{caption}</caption><tbody>{rows}</tbody></table>'
    return savable(table, lang)
