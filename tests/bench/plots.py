"""Lines: what one thing more costs, and whether the next one costs the same. Drawn as SVG."""

from html import escape

# A line that bends upwards lies below the straight one between its ends. A square would be a quarter of its rise below it.
BEND = 0.17
# A rise of so little (milliseconds, megabytes), or by so small a part of the first value, is none.
NOISE, FLAT = 5.0, 0.2

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 460, 300, 62, 46, 40


def judge(line):
    """Flat, straight or bent upwards, for time and for memory."""
    told = {}
    for what in ("time", "memory"):
        points = [(point["x"], point[what]) for point in line["points"]]
        (first, low), (last, high) = points[0], points[-1]
        rise = high - low
        below = max(low + rise * (x - first) / (last - first) - value for x, value in points)
        told[what] = "flat" if rise <= max(NOISE, FLAT * low) else "bent" if below > max(2 * NOISE, BEND * rise) else "straight"
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
