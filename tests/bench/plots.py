"""Lines: what one thing more costs, and whether the next one costs the same. Drawn as SVG."""

from html import escape

# The dearest part of a line may cost so many times what the line as a whole costs; a bend within the noise is none.
BEND = 2.0
NOISE = {"time": 4.0, "memory": 3.0}
WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 460, 300, 62, 46, 40


def judge(line):
    """Straight, flat or bent upwards, for time and for memory."""
    told = {}
    for what in ("time", "memory"):
        points = [(point["x"], point[what]) for point in line["points"]]
        (first, low), (last, high) = points[0], points[-1]
        slope = (high - low) / (last - first)
        steepest = max((there - here) / (after - before) for (before, here), (after, there) in zip(points[1:], points[2:]))
        rise = max(value for _, value in points) - low
        # The first piece is left out: what is set up once costs there.
        (second, base) = points[1]
        later = (high - base) / (last - second)
        over = max(value - (base + max(later, 0) * (x - second)) for x, value in points[1:])
        bend = steepest > BEND * max(later, 0) and (steepest - max(later, 0)) * (last - second) > NOISE[what] * 2 and points[-1][1] == max(value for _, value in points)
        told[what] = "bent" if bend and over <= NOISE[what] else "flat" if rise <= max(NOISE[what], 0.15 * low) else "straight"
        told[f"{what} each"] = slope
    return told


def draw(line, judged, file):
    """Two pictures beside each other: time and memory."""
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{2 * WIDTH}" height="{HEIGHT}" font-family="sans-serif" font-size="11">',
             f'<rect width="{2 * WIDTH}" height="{HEIGHT}" fill="#ffffff"/>']
    for at, (what, unit) in enumerate([("time", "ms of processor time"), ("memory", "MB at most")]):
        parts.append(f'<g transform="translate({at * WIDTH},0)">{panel(line, what, unit, judged[what])}</g>')
    file.write_text("\n".join([*parts, "</svg>", ""]))


def panel(line, what, unit, word):
    points = [(point["x"], point[what]) for point in line["points"]]
    most_x, most_y = max(x for x, _ in points) or 1, nice(max(y for _, y in points) or 1)
    at = lambda x, y: (LEFT + (WIDTH - LEFT - 24) * x / most_x, HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * y / most_y)
    out = [f'<text x="{LEFT}" y="18" font-size="13" font-weight="bold">{escape(line["name"])}: {unit}</text>', f'<text x="{LEFT}" y="32" fill="#666">{word}</text>']
    for part in range(5):
        _, y = at(0, most_y * part / 4)
        out.append(f'<line x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - 24}" y2="{y:.1f}" stroke="#ddd"/><text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{most_y * part / 4:g}</text>')
    for x, _ in points:
        across, _ = at(x, 0)
        if x == 0 or x >= most_x / 12:
            out.append(f'<text x="{across:.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{x:g}</text>')
    out.append(f'<text x="{(LEFT + WIDTH) / 2}" y="{HEIGHT - 10}" text-anchor="middle" fill="#444">{escape(line["unit"])}</text>')
    path = " ".join(f"{'M' if not n else 'L'}{x:.1f} {y:.1f}" for n, (x, y) in enumerate(at(*point) for point in points))
    out.append(f'<path d="{path}" fill="none" stroke="#0b66c3" stroke-width="2"/>')
    out += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="#0b66c3"/>' for x, y in (at(*point) for point in points)]
    return "".join(out)


def nice(most):
    """A round number not below it."""
    size = 10 ** (len(str(int(most))) - 1) if most >= 1 else 1
    return next(size * step for step in (1, 1.5, 2, 3, 4, 5, 6, 8, 10) if size * step >= most)
