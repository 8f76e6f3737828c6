"""What the slice views show beside their images."""

from __future__ import annotations


def texts(view: str = "Red") -> list[str]:
    """What the visible text actors of a view say."""
    import slicer

    view = slicer.app.layoutManager().sliceWidget(view).sliceView()
    props = view.renderWindow().GetRenderers().GetFirstRenderer().GetViewProps()
    actors = [props.GetItemAsObject(n) for n in range(props.GetNumberOfItems())]
    actors = [a for a in actors if a.IsA("vtkTextActor") and a.GetVisibility()]
    return [actor.GetInput() for actor in actors]
