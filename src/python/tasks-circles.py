# Which results Dask cannot send. A part of the module that tasks-values.py describes.
# ruff: noqa: F821

CONTAINERS = (list, tuple, set, dict)
# Dask looks for what it has a form of its own for in first items only; where it finds that, it goes through all items.
NO_FORM_OF_ITS_OWN = (type(None), bool, int, float, complex, str, bytes)
# Dask looks by calls within calls, of which Python has a thousand.
DEEPEST = 700
# More is not looked at.
MOST_ITEMS = 10_000


def passable(result):
    """The result, which Dask can pass on: on one that it goes around in without end, those that wait for it would wait for ever."""
    if type(result) not in CONTAINERS:
        return result
    above, place, value = {}, [], result
    while type(value) in CONTAINERS and len(value) > 0:
        refuse_circle(value, place, above)
        above[id(value)] = value
        step, value = next(steps(value))
        place.append(step)
    if type(value) not in CONTAINERS and type(value) not in NO_FORM_OF_ITS_OWN:
        look_through(result)
    return result


def look_through(result):
    left, above, looked_at = [([], result, iter(steps(result)))], {id(result): result}, 0
    while left and looked_at < MOST_ITEMS:
        place, value, items = left[-1]
        step, item = next(items, (None, None))
        looked_at += 1
        if step is None:
            left.pop()
            del above[id(value)]
        elif type(item) in CONTAINERS:
            refuse_circle(item, [*place, step], above)
            above[id(item)] = item
            left.append(([*place, step], item, iter(steps(item))))


def steps(container):
    if type(container) is dict:
        return ((f"[{key!r}]", item) for key, item in container.items())
    if type(container) is set:
        return (("{}", item) for item in container)
    return ((f"[{i}]", item) for i, item in enumerate(container))


def refuse_circle(value, place, above):
    if id(value) in above:
        what = f"is a {type(value).__name__} that is within itself"
    elif len(place) > DEEPEST:
        place, what = place[:5], f"is a value nested more than {DEEPEST} levels deep"
    else:
        return
    raise CannotCross(f"Cannot keep the result: value{''.join(place)} {what}, which Dask cannot send; return another form of it")
