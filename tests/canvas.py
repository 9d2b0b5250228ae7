"""Whether a picture shows all that was drawn."""

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

ROUNDING = 2.0  # pixels


def texts_off_canvas(figure: Figure) -> list[str]:
    """Texts of which a part lies outside of the picture."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    width, height = figure.bbox.size
    ticks = {  # those beyond the ends of an axis are not drawn
        label
        for ax in figure.axes
        for axis in (ax.xaxis, ax.yaxis)
        for label in axis.get_ticklabels(which="both")
    }
    cut = []
    for text in set(figure.findobj(Text)) - ticks:
        if not text.get_visible() or not text.get_text().strip():
            continue
        box = text.get_window_extent(canvas.get_renderer())
        is_inside = (
            box.x0 >= -ROUNDING
            and box.y0 >= -ROUNDING
            and box.x1 <= width + ROUNDING
            and box.y1 <= height + ROUNDING
        )
        if not is_inside:
            cut.append(text.get_text())
    return sorted(cut)
