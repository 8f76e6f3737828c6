"""What a module holds of Slicer: everything that must be given back when it goes."""

from __future__ import annotations

import gc
from collections import Counter

from host import pythonqt

pythonqt(__name__)


def observed(thing) -> Counter:
    """How many observers a VTK object has: those that one of its tags still leads to."""
    last = thing.AddObserver("NoEvent", lambda *_: None)
    thing.RemoveObserver(last)
    return Counter(observers=sum(thing.GetCommand(tag) is not None for tag in range(last)))


def held_resources(host) -> dict[str, Counter]:
    """Observers, actors, connections, timers, shortcuts and processes that there are now."""
    import slicer

    host.process_events(0.05)
    gc.collect()
    host.process_events()
    return {**of_views(), **of_scene(), **of_qt(slicer)}


def of_views() -> dict[str, Counter]:
    """Of slice nodes, their layers, and what is in the views."""
    import slicer

    layout, found = slicer.app.layoutManager(), {}
    for name in layout.sliceViewNames():
        widget = layout.sliceWidget(name)
        renderer = widget.sliceView().renderWindow().GetRenderers().GetFirstRenderer()
        props = renderer.GetViewProps()
        actors = (props.GetItemAsObject(n) for n in range(props.GetNumberOfItems()))
        found |= {
            f"{name}: slice node": observed(widget.mrmlSliceNode()),
            f"{name}: layers": observed(widget.sliceLogic().GetSliceCompositeNode()),
            f"{name}: renderer": observed(renderer),
            f"{name}: render window": observed(widget.sliceView().renderWindow()),
            f"{name}: interactor": observed(widget.sliceView().interactor()),
            f"{name}: actors": Counter(actor.GetClassName() for actor in actors),
        }
    return found


def of_scene() -> dict[str, Counter]:
    """Of the scene and of the nodes that users have in it."""
    import slicer

    nodes = [
        node
        for kind in ("vtkMRMLVolumeNode", "vtkMRMLSequenceBrowserNode", "vtkMRMLTableNode")
        for node in slicer.util.getNodesByClass(kind)
    ]
    found = {f"node {node.GetName()}": observed(node) for node in nodes}
    return {"scene": observed(slicer.mrmlScene), **found}


def of_qt(slicer) -> dict[str, Counter]:
    """Of the application, and what works on its own: only running timers do."""
    import qt
    import shiboken6

    def receivers(thing, *signals: str) -> Counter:
        return Counter({name: thing.receivers(qt.SIGNAL(name)) for name in signals})

    things = shiboken6.getAllValidWrappers()
    timers = [thing for thing in things if isinstance(thing, qt.QTimer) and thing.active]
    processes = [thing for thing in things if isinstance(thing, qt.QProcess)]
    alive = [process for process in processes if process.state() != qt.QProcess.NotRunning]
    shortcuts = slicer.util.mainWindow().findChildren(qt.QShortcut)
    return {
        "application": receivers(slicer.app, "aboutToQuit()", "startupCompleted()"),
        "layout manager": receivers(slicer.app.layoutManager(), "layoutChanged(int)"),
        "modules": receivers(slicer.app.moduleManager(), "moduleAboutToBeUnloaded(QString)"),
        "at work": Counter(timers=len(timers), processes=len(alive), shortcuts=len(shortcuts)),
    }


def more(after: dict[str, Counter], before: dict[str, Counter]) -> dict[str, dict]:
    """What is held now and was not; empty when all was given back."""
    gained = {name: count - before.get(name, Counter()) for name, count in after.items()}
    return {name: dict(count) for name, count in gained.items() if count}
