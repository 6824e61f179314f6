"""The table: medians, ratios, and the bars of the project's design."""

import statistics
from pathlib import Path

DIRECT, NGINX, PROXY, CISTERN = (
    "direct upstream", "nginx static", "docker-registry proxy", "Cistern")
COLUMNS = (DIRECT, NGINX, PROXY, CISTERN)
BEGIN, END = "<!-- last run: begin -->", "<!-- last run: end -->"
MIB = 1 << 20


def _seconds(value):
    return f"{value:.2f} s"


def _milliseconds(value):
    return f"{value * 1000:.1f} ms"


def _microseconds(value):
    return f"{value * 1e6:.2f} µs"


def _mib(value):
    return f"{value / MIB:.1f} MiB"


def _count(value):
    return f"{value:.0f}"


def _rate(value):
    return f"{value:,.0f}/s"


class Bar:
    """Where Cistern must stand: against a fixed value, or against another column."""

    def __init__(self, text, holds, against=None):
        self.text = text
        self.holds = holds
        self.against = against


def _times(limit, against, at_least=False):
    sign = "≥" if at_least else "≤"
    holds = (lambda own, other: own >= limit * other) if at_least else (
        lambda own, other: own <= limit * other)
    name = {NGINX: "nginx", DIRECT: "direct"}[against]
    return Bar(f"{sign} {limit:g}× {name}", holds, against)


def _exactly(value):
    return Bar(f"= {value}", lambda own, _: own == value)


def _below_mib(limit):
    return Bar(f"< {limit} MiB", lambda own, _: own < limit * MIB)


# measure, what it is called, how it is written, the column of the ratio, the bar
ROWS = (
    ("cold.wall", "cold 1 GiB, wall", _seconds, DIRECT, _times(2.5, DIRECT)),
    ("stored.wall", "the same, beside a curl that stores 1 GiB itself", _seconds, DIRECT, None),
    ("cold.cpu", "cold 1 GiB, server CPU", _seconds, DIRECT,
     Bar("≤ 1.9 s", lambda own, _: own <= 1.9)),
    ("cold.first_byte", "cold 1 GiB, first byte of the answer", _milliseconds, DIRECT,
     Bar("≤ direct + 5 ms", lambda own, other: own <= other + 0.005, DIRECT)),
    ("first_body_byte", "cold 1 GiB, first byte of the body", _milliseconds, DIRECT,
     Bar("≤ direct + 5 ms", lambda own, other: own <= other + 0.005, DIRECT)),
    ("cold.gets", "cold 1 GiB, upstream GETs", _count, None, _exactly(1)),
    ("warm.wall", "warm 1 GiB, wall", _seconds, NGINX, _times(1, NGINX)),
    ("warm.cpu", "warm 1 GiB, server CPU", _seconds, NGINX, _times(1, NGINX)),
    ("large.memory", "1 GiB cold and warm, peak RssAnon", _mib, None, _below_mib(64)),
    ("crowd16.wall", "16 clients, one cold 400 MiB blob, wall", _seconds, NGINX, None),
    ("crowd16.cpu", "16 clients, server CPU", _seconds, NGINX, None),
    ("crowd16.gets", "16 clients, upstream GETs", _count, None, _exactly(1)),
    ("crowd16.memory", "16 clients, peak RssAnon", _mib, None, _below_mib(64)),
    ("crowd64.wall", "64 clients, one cold 400 MiB blob, wall", _seconds, NGINX, None),
    ("crowd64.cpu", "64 clients, server CPU", _seconds, NGINX, None),
    ("crowd64.gets", "64 clients, upstream GETs", _count, None, _exactly(1)),
    ("crowd64.memory", "64 clients, peak RssAnon", _mib, None, _below_mib(64)),
    ("rate.tag", "warm manifest by tag", _rate, NGINX, _times(0.8, NGINX, at_least=True)),
    ("rate.digest", "warm manifest by digest", _rate, NGINX, _times(0.8, NGINX, at_least=True)),
    ("rate.blob", "warm 16 KiB blob", _rate, NGINX, None),
    ("rate.tag_cpu", "warm manifest by tag, server CPU each", _microseconds, NGINX, None),
    ("rate.digest_cpu", "warm manifest by digest, server CPU each", _microseconds, NGINX, None),
    ("rate.blob_cpu", "warm 16 KiB blob, server CPU each", _microseconds, NGINX, None),
    ("rate.memory", "RssAnon after the rates", _mib, None, _below_mib(64)),
    ("images.wall", "64 cold pulls of an 8-layer image, wall", _seconds, DIRECT, None),
    ("images.cpu", "64 cold pulls, server CPU", _seconds, DIRECT, None),
    ("images.gets_most", "64 cold pulls, upstream GETs of a blob, most", _count, None, _exactly(1)),
    ("images.gets_least", "64 cold pulls, upstream GETs of a blob, least", _count, None,
     _exactly(1)),
    ("images.memory", "64 cold pulls, peak RssAnon", _mib, None, _below_mib(64)),
    ("idle.ready", "start to first answer, store filled", _milliseconds, None, None),
    ("idle.rss", "idle RSS", _mib, None, None),
    ("idle.anonymous", "idle RssAnon", _mib, None, _below_mib(64)),
)
LOGGED = (("rate.tag", "warm manifest by tag"), ("rate.digest", "warm manifest by digest"),
          ("rate.blob", "warm 16 KiB blob"))

# The same of Cistern alone, over a store of few manifests and over one of many.
STOCK = (
    ("stock.ready", "start to first answer", _milliseconds,
     Bar("≤ 1 s", lambda many, _: many <= 1)),
    ("stock.first", "a manifest's first pull, one after the other", _microseconds, None),
    ("stock.first_cpu", "a first pull, server CPU", _microseconds, None),
    ("stock.second", "its second pull", _microseconds,
     Bar("≤ 1.1×", lambda many, few: many <= 1.1 * few)),
    ("stock.second_cpu", "a second pull, server CPU", _microseconds, None),
    ("stock.rate", "warm manifest by tag", _rate,
     Bar("≥ 0.9×", lambda many, few: many >= 0.9 * few)),
    ("stock.anonymous", "RssAnon after all that", _mib, _below_mib(64)),
)


def _middle(values):
    # Where every run counts, one bad run is the answer: see _worst.
    return statistics.median(values)


def _worst(measure, values):
    """Counts and peaks must hold in every run; times and rates are medians."""
    if measure.endswith((".gets", ".memory", ".gets_most", ".anonymous")):
        return max(values)
    return min(values) if measure.endswith(".gets_least") else _middle(values)


def _ratio(own, other):
    return f"{own / other:.2f}" if own is not None and other else ""


def _table(header, rows):
    lines = ["| " + " | ".join(header) + " |", "|---" * len(header) + "|"]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def table(values):
    """The main table in Markdown, of the measures that ran."""
    rows = []
    for measure, title, write, base, bar in ROWS:
        if measure not in values:
            continue
        figures = {name: _worst(measure, kept) for name, kept in values[measure].items()}
        own = figures.get(CISTERN)
        row = [title] + [write(figures[name]) if name in figures else "" for name in COLUMNS]
        ratio = _ratio(own, figures.get(base))
        row.append(f"{ratio} × {base.split()[0]}" if ratio else "")
        row.append(_ratio(own, figures.get(PROXY)))
        row.append(bar.text if bar else "")
        row.append(_verdict(bar, own, figures))
        rows.append(row)
    header = ["measure", *COLUMNS, "ratio", "ratio to docker-registry", "bar", "verdict"]
    return _table(header, rows)


def _verdict(bar, own, figures):
    if bar is None or own is None:
        return ""
    other = figures.get(bar.against)
    if bar.against and other is None:
        return ""
    return "pass" if bar.holds(own, other) else "**miss**"


def logging_table(values):
    """Rates with access logs on, beside the same with them off."""
    rows = []
    for measure, title in LOGGED:
        kept = values.get(measure, {})
        figures = {name: _middle(kept[name]) for name in kept}
        on, nginx_on = figures.get(f"{CISTERN}, log on"), figures.get(f"{NGINX}, log on")
        if on is None:
            continue
        rows.append([title, _rate(on), _ratio(on, figures[CISTERN]), _rate(nginx_on),
                     _ratio(on, nginx_on)])
    header = ["access logs on", "Cistern", "ratio to logs off", "nginx", "ratio to nginx"]
    return _table(header, rows) if rows else ""


def stock_table(values):
    """What a thousand times as many manifests in the store cost."""
    rows = []
    for measure, title, write, bar in STOCK:
        if len(values.get(measure, {})) < 2:
            continue
        names = list(values[measure])
        few, many = (_worst(measure, values[measure][name])
                     for name in sorted(names, key=lambda name: int(name.split()[0].replace(",", ""))))
        verdict = ("pass" if bar.holds(many, few) else "**miss**") if bar else ""
        rows.append([title, write(few), write(many), _ratio(many, few), bar.text if bar else "",
                     verdict])
    if not rows:
        return ""
    header = ["the store holds", *sorted(names, key=len), "ratio", "bar", "verdict"]
    return _table(header, rows)


def spread_table(values):
    """The least and the most of every time and rate, for whoever doubts a median."""
    rows = []
    for measure, title, write, _, _ in ROWS:
        if measure not in values or len(next(iter(values[measure].values()))) < 2:
            continue
        if write is _count:
            continue
        kept = values[measure]
        row = [f"{write(min(kept[name]))} – {write(max(kept[name]))}" if name in kept else ""
               for name in COLUMNS]
        rows.append([title, *row])
    return _table(["least – most", *COLUMNS], rows) if rows else ""


def write_readme(path, text):
    """Puts `text` between the markers of bench/README.md."""
    readme = Path(path).read_text()
    before, begin, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{path} has lost its markers")
    Path(path).write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}")
