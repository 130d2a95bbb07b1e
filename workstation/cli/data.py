"""`workstation data`: take history in, see what is there, and take a series out."""

import json
import time
from dataclasses import asdict
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Any

import typer

from workstation.cli import data_check, data_collect, data_pairs
from workstation.cli.data_import import ImportProgress, as_table, as_text
from workstation.config.loading import load_configuration
from workstation.errors import BadInput, HistoryMissing
from workstation.history.bar_recipe import EmptyBars, QuotePrice
from workstation.history.calendars import Calendar
from workstation.history.compact import KEPT_NS, Compacted, compact_series
from workstation.history.download_kind import DownloadKind
from workstation.history.durable import HistoryCorrupt
from workstation.history.importing import MAX_BAD_SHARE, ImportRequest, import_file
from workstation.history.layout import HistoryKind, Series
from workstation.history.removing import has_series, remove_series
from workstation.history.rules import GivenRules
from workstation.history.store import FILL_IT, HistoryStore
from workstation.model.durations import HOUR_NS
from workstation.model.ids import Symbol, Venue
from workstation.model.instrument import InstrumentKey
from workstation.model.market import (
    interval_ns,
)

app = typer.Typer(help="Take history in, see what is there, remove it.", no_args_is_help=True, add_completion=False)


def a_decimal(text: str) -> Decimal:
    """An exact step or rate as written."""
    try:
        return Decimal(text)
    except InvalidOperation:
        raise typer.BadParameter(f"{text!r}: expected a number such as 0.01") from None


ConfigFile = Annotated[
    Path | None,
    typer.Option("--config", help="The TOML file; otherwise workstation.toml in WORKSTATION_HOME.", show_default=False),
]
HistoryFolder = Annotated[
    Path | None,
    typer.Option("--history", help="The history's folder; otherwise the setting paths.history.", show_default=False),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def decimal_option(name: str, meaning: str) -> Any:
    return typer.Option(name, parser=a_decimal, metavar="NUMBER", help=meaning, show_default=False)


File = Annotated[Path, typer.Argument(help="A .csv, .csv.gz, .parquet or .feather file.", show_default=False)]
Kind = Annotated[HistoryKind, typer.Option(help="What the rows are.")]
VenueName = Annotated[str, typer.Option(help="Where it was traded: a-z, 0-9, _ and -; of a pair, as nova~orion.")]
SymbolName = Annotated[str, typer.Option(help="BASE/QUOTE, or BASE/QUOTE:QUOTE for a linear perpetual.")]
Interval = Annotated[str | None, typer.Option(help="A bar's length, such as 1h; otherwise found.", show_default=False)]
Columns = Annotated[
    list[str] | None,
    typer.Option(help="OURS=THEIRS where the names do not tell, such as volume=volume_btc.", show_default=False),
]
TimeFormat = Annotated[
    str | None, typer.Option(help="Form of times in text, such as '%Y-%m-%d %I-%p'.", show_default=False)
]
SkipLines = Annotated[int, typer.Option(min=0, help="Lines above the header.")]
Sort = Annotated[bool, typer.Option("--sort", help="Sort rows that are out of order, instead of rejecting them.")]
MaxBad = Annotated[float, typer.Option(min=0, max=100, help="Refuse the file when more of its rows are bad.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be stored, and store nothing.")]
Start = Annotated[
    str | None,
    typer.Option(
        "--from", "--start", metavar="DATE", help="First moment, such as 2024-05-01 or 2024-05-01T13:30 (UTC)."
    ),
]
End = Annotated[
    str | None, typer.Option("--to", "--end", metavar="DATE", help="First moment that is not taken any more.")
]
Rejects = Annotated[
    Path | None, typer.Option(help="Folder for the list of bad rows; otherwise beside FILE.", show_default=False)
]


@app.command("import")
def import_(
    file: File,
    kind: Kind,
    venue: VenueName,
    symbol: SymbolName,
    interval: Interval = None,
    column: Columns = None,
    time_format: TimeFormat = None,
    skip_lines: SkipLines = 0,
    sort: Sort = False,
    max_bad_percent: MaxBad = MAX_BAD_SHARE * 100,
    dry_run: DryRun = False,
    rejects: Rejects = None,
    tick_size: Annotated[Decimal | None, decimal_option("--tick-size", "Step of prices; otherwise inferred.")] = None,
    lot_size: Annotated[Decimal | None, decimal_option("--lot-size", "Step of quantities; otherwise inferred.")] = None,
    min_quantity: Annotated[Decimal | None, decimal_option("--min-quantity", "Otherwise one lot.")] = None,
    min_notional: Annotated[Decimal | None, decimal_option("--min-notional", "Least value of an order.")] = None,
    maker_fee: Annotated[Decimal | None, decimal_option("--maker-fee", "Fraction, 0.001 by default.")] = None,
    taker_fee: Annotated[Decimal | None, decimal_option("--taker-fee", "Fraction, 0.001 by default.")] = None,
    history: HistoryFolder = None,
    config: ConfigFile = None,
) -> None:
    """Check a file row by row and store it; bad rows are named with their lines and kept out."""
    request = ImportRequest(
        kind=kind,
        venue=venue,
        symbol=symbol,
        interval_ns=None if interval is None else interval_ns(interval),
        columns=dict(_pair(text) for text in column or []),
        skip_lines=skip_lines,
        time_format=time_format,
        sort=sort,
        max_bad_share=max_bad_percent / 100,
        rules=GivenRules(
            tick_size=tick_size,
            lot_size=lot_size,
            min_quantity=min_quantity,
            min_notional_quote=min_notional,
            maker_fee_rate=maker_fee,
            taker_fee_rate=taker_fee,
        ),
    )
    with ImportProgress(file.name) as progress:
        store = _store(history, config)
        report = import_file(
            store, file, request, is_dry_run=dry_run, rejects_folder=rejects, on_progress=progress.show
        )
    typer.echo(as_text(report))


@app.command("list")
def list_(as_json: AsJson = False, history: HistoryFolder = None, config: ConfigFile = None) -> None:
    """Every stored series with its span, rows and size."""
    store = _store(history, config)
    datasets = store.datasets()
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in datasets], indent=2))
    elif datasets:
        typer.echo(as_table(datasets))
    else:
        typer.echo(f"no history in {store.root}: {FILL_IT}")


@app.command()
def remove(
    kind: Kind,
    venue: VenueName,
    symbol: SymbolName,
    interval: Annotated[str | None, typer.Option(help="A bar's length, such as 1h.", show_default=False)] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    history: HistoryFolder = None,
    config: ConfigFile = None,
) -> None:
    """Take one series out, such as one imported under a wrong mapping; the instrument's rules stay."""
    store = _store(history, config)
    length_ns = None if interval is None else interval_ns(interval)
    key = InstrumentKey(Venue(venue), Symbol(symbol))  # a series checks its own
    series = Series(kind=kind, key=key, interval_ns=length_ns)
    if not has_series(store.root, series):
        others = ", ".join(str(one) for one in store.series()[:5]) or "nothing"
        raise HistoryMissing(f"{series}: not stored in {store.root} (stored are: {others})")
    if not yes:
        typer.confirm(f"Remove {series} from {store.root}?", abort=True)
    files, size = remove_series(store.root, series)
    typer.echo(
        f"removed {series} from {store.root}: {files} files, {size / 1e6:.1f} MB. The rules of {series.key} stay: "
        "the next import changes them with --tick-size, --lot-size and the like"
    )


@app.command()
def compact(
    keep_hours: Annotated[
        float, typer.Option(min=0, help="Replaced files stay for so long, for readers that have them open.")
    ] = KEPT_NS / HOUR_NS,
    history: HistoryFolder = None,
    config: ConfigFile = None,
) -> None:
    """Join the small files that recording leaves behind; rows stay as they are. Safe beside a recorder and readers."""
    store = _store(history, config)
    failures: list[str] = []
    done: list[Compacted] = []
    for series in store.series():
        try:
            one = compact_series(store, series, now_ns=time.time_ns(), kept_ns=int(keep_hours * HOUR_NS))
        except HistoryCorrupt as error:
            failures.append(str(error))
            continue
        done.append(one)
        if one.is_changed:
            typer.echo(f"{one.series}: {one.files_before} files, now {one.files_after}")
    typer.echo(
        f"{sum(one.files_before for one in done):,} files of {len(done)} series, now "
        f"{sum(one.files_after for one in done):,}; {sum(one.rows for one in done):,} rows joined. Replaced files stay "
        f"for {keep_hours:g} h; removed now: {sum(one.files_removed for one in done):,}, "
        f"{sum(one.bytes_removed for one in done) / 1e6:.1f} MB"
    )
    if failures:
        raise HistoryCorrupt("; ".join(failures))


@app.command()
def check(
    set_aside: Annotated[
        bool, typer.Option("--set-aside", help="Take damaged files out of their series, so that the rest is read.")
    ] = False,
    forget_missing: Annotated[
        bool, typer.Option("--forget-missing", help="As --set-aside, and take out files that are not there too.")
    ] = False,
    as_json: AsJson = False,
    history: HistoryFolder = None,
    config: ConfigFile = None,
) -> None:
    """Read every stored file to its end, with its checksums, and name what is damaged or missing."""
    data_check.check(_store(history, config), sets_aside=set_aside, forgets_missing=forget_missing, as_json=as_json)


app.command()(data_collect.record)
app.command()(data_pairs.spreads)
app.command()(data_pairs.opportunities)
app.add_typer(data_collect.app, name="collect")


@app.command()
def quality(
    kind: Annotated[HistoryKind | None, typer.Option(help="These alone.", show_default=False)] = None,
    venue: Annotated[str | None, typer.Option(help="This one alone.", show_default=False)] = None,
    symbol: Annotated[str | None, typer.Option(help="This one alone.", show_default=False)] = None,
    interval: Annotated[str | None, typer.Option(help="Bars of this length alone.", show_default=False)] = None,
    gap: Annotated[
        str | None,
        typer.Option(help="A silence of quotes or trades that is a gap, such as 90s or 10m.", show_default=False),
    ] = None,
    calendar: Annotated[
        Calendar, typer.Option(help="utc, or fx: from Friday to Sunday, 17:00 in New York, nothing is missing.")
    ] = Calendar.UTC,
    html: Annotated[
        Path | None, typer.Option(help="File for a picture of the coverage by day.", show_default=False)
    ] = None,
    as_metrics: Annotated[
        bool, typer.Option("--metrics", help="In Prometheus' text format, for a monitor that reads files.")
    ] = False,
    as_json: AsJson = False,
    history: HistoryFolder = None,
    config: ConfigFile = None,
) -> None:
    """Gaps, doubles, crossed quotes, outliers, still prices and clocks of every stored series."""
    from workstation.cli import data_quality  # with numba and charts, which the other commands do without
    from workstation.history.chosen import ChosenSeries

    if as_metrics and as_json:
        raise BadInput("--metrics and --json: expected one of them")
    chosen = ChosenSeries(kind=kind, venue=venue, symbol=symbol, interval=interval)
    data_quality.quality(
        _store(history, config), chosen,
        gap=gap, calendar=calendar, html=html, as_metrics=as_metrics, as_json=as_json,
    )  # fmt: skip


@app.command()
def download(
    venue: Annotated[str, typer.Argument(help="Name of a venue of the settings.", show_default=False)],
    symbols: Annotated[
        list[str], typer.Argument(help="Such as BTC/USDT; several are had in turn.", show_default=False)
    ],
    start: Annotated[
        str, typer.Option("--from", "--start", metavar="DATE", help="First moment, such as 2024-05-01 (UTC).")
    ],
    end: End = None,
    kind: Annotated[DownloadKind, typer.Option(help="What is to be had.")] = DownloadKind.BARS,
    interval: Annotated[str | None, typer.Option(help="A bar's length; otherwise 1m.", show_default=False)] = None,
    again: Annotated[bool, typer.Option("--again", help="Ask also for what was had before.")] = False,
    history: HistoryFolder = None,
    config: ConfigFile = None,
) -> None:
    """Fill the history from a venue's past; stopped anywhere, the same command goes on from there."""
    from workstation.cli import data_download  # with ccxt, half a second that the other commands do without

    settings = load_configuration(config).settings
    wanted = data_download.wanted_of(venue, symbols, kind, interval, start, end, again=again, now_ns=time.time_ns())
    data_download.download(settings, _store(history, config), wanted)


@app.command()
def bars(
    venue: VenueName,
    symbol: SymbolName,
    interval: Annotated[str, typer.Option(help="Length of the bars to be made, such as 1m.")],
    source: Annotated[
        str, typer.Option(help="What they are made of: trades, quotes, or shorter bars such as 1m.")
    ] = "trades",
    price: Annotated[QuotePrice, typer.Option(help="Of quotes: their mid, or one side.")] = QuotePrice.MID,
    calendar: Annotated[
        Calendar, typer.Option(help="utc, or fx: days from 17:00 to 17:00 in New York, weekends closed.")
    ] = Calendar.UTC,
    empty: Annotated[
        EmptyBars, typer.Option(help="Bars in which nothing happened: flat with volume 0, or left out.")
    ] = EmptyBars.FLAT,
    start: Start = None,
    end: End = None,
    into: Annotated[
        str | None,
        typer.Option(help="Venue to keep them under; otherwise VENUE, VENUE-mid, VENUE-fx.", show_default=False),
    ] = None,
    dry_run: DryRun = False,
    history: HistoryFolder = None,
    config: ConfigFile = None,
) -> None:
    """Make bars of stored trades, quotes or shorter bars, and keep those that have ended."""
    from workstation.cli import data_bars  # with numba, which the other commands do without

    wanted = data_bars.Wanted(
        source=data_bars.source_of(source, venue, symbol),
        recipe=data_bars.recipe_of(interval, calendar, empty, price, start, end),
        into=into,
    )
    data_bars.bars(_store(history, config), wanted, is_dry_run=dry_run)


def _pair(text: str) -> tuple[str, str]:
    ours, equals, theirs = text.partition("=")
    if not ours or not equals or not theirs:
        raise BadInput(f"--column {text!r}: expected OURS=THEIRS, such as volume=volume_btc")
    return ours, theirs


def _store(history: Path | None, config: Path | None) -> HistoryStore:
    return HistoryStore(load_configuration(config).settings.paths.history if history is None else history)
