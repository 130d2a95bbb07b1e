"""How the history grows, on the Data page: downloads and collections of the engine, their forms and their buttons."""

from collections.abc import Callable
from typing import Any

import panel as pn
import panel_material_ui as pmui

from workstation.client.client import Client
from workstation.client.collection import CollectionRequest
from workstation.client.jobs import ENDED, JobKind, JobState
from workstation.dashboard.download_rows import (
    COLLECTIONS,
    DOWNLOADS,
    ENDED_EARLY,
    OPEN_COLLECTIONS,
    OPEN_DOWNLOADS,
    OVER_COLLECTIONS,
    kinds_of,
    running_line,
)
from workstation.dashboard.downloading import DownloadWords
from workstation.dashboard.look import flow, stack
from workstation.dashboard.pages.asking import VIEWER, Asking
from workstation.dashboard.pages.collection_form import CollectionForm
from workstation.dashboard.pages.download_form import DownloadForm
from workstation.dashboard.sheet import Words
from workstation.dashboard.state import EngineState
from workstation.dashboard.tables import LiveTable, Row
from workstation.dashboard.users import Role
from workstation.dashboard.visit import Visit
from workstation.history.collection import OPEN_STATES

SHOWN = 50
WAITING = "Downloads and collections are the engine's: it does not answer. Start it: workstation engine start"


class Filling:
    """`wanted` says what a new download's form begins with; None: nothing is chosen."""

    def __init__(self, visit: Visit, wanted: Callable[[], DownloadWords | None]) -> None:
        self._visit, self._wanted = visit, wanted
        self._download: DownloadForm | None = None
        self._collection: CollectionForm | None = None
        self.new_download = _opener("Download", self._on_download)
        self.new_collection = _opener("Collect", self._on_collect)
        self.waiting = Words()
        self.downloads = LiveTable(
            "Downloads", DOWNLOADS, source="downloads", most=SHOWN, margin=(0, 0, 12, 0),
            empty="No downloads yet. Download asks for what a venue had before; of a chosen series, for its gap.",
            buttons={
                "cancel": ["cancel", "End it; what came is stored", {"state": OPEN_DOWNLOADS}],
                "again": ["go on", "Ask for what is still missing", {"state": ENDED_EARLY}],
            },
        )  # fmt: skip
        self.collections = LiveTable(
            "Collections", COLLECTIONS, source="collections", most=SHOWN, margin=(0, 0, 12, 0),
            empty="No collections yet. Collect records what venues tell from now on, under a name of its own.",
            buttons={
                "stop": ["stop", "End it; its rows stay", {"state": OPEN_COLLECTIONS}],
                "again": ["go on", "Record the same again, as a new collection", {"state": OVER_COLLECTIONS}],
            },
        )  # fmt: skip
        self.downloads.on_button("cancel", self._on_cancel)
        self.downloads.on_button("again", self._on_again)
        self.collections.on_button("stop", self._on_stop)
        self.collections.on_button("again", self._on_collect_again)
        self._forms = stack()

    def forms(self) -> pn.viewable.Viewable:
        return self._forms

    def openers(self) -> pn.Row:
        return flow(self.new_download, self.new_collection, gap="0", styles={"width": "auto"}, sizing_mode=None)

    def tables(self) -> pn.viewable.Viewable:
        return stack(self.waiting, self.downloads, self.collections)

    def show(self, state: EngineState) -> None:
        """After each look."""
        is_known, may = state.heard_s is not None, self._visit.controls.may(Role.TRADER)
        self.waiting.say(WAITING if state.loss else "")
        self.downloads.visible = self.collections.visible = is_known
        is_live = may and not state.loss
        for table in (self.downloads, self.collections):
            if table.acts != is_live:
                table.acts = is_live
        for button in (self.new_download, self.new_collection):
            if button.disabled == is_live:
                button.param.update(disabled=not is_live, description=None if is_live else WAITING if may else VIEWER)
        for form in (self._download, self._collection):
            if form is not None:
                form.show(state)

    def lines(self, state: EngineState) -> list[str]:
        """What is being downloaded, for the page's head."""
        running = [one for one in state.jobs if one.kind is JobKind.DOWNLOAD and one.state is JobState.RUNNING]
        return [running_line(one) for one in running]

    def download(self, words: DownloadWords | None) -> None:
        """Opens the form at these; not for a viewer, whatever is pressed."""
        if not self._visit.controls.may(Role.TRADER):
            return
        if self._download is None:
            self._download = DownloadForm(self._visit)
        self._download.open_at(words)
        self._lay_out(self._download)

    # -- pressed

    def _on_download(self, _: Any) -> None:
        self.download(self._wanted())

    def _on_collect(self, _: Any) -> None:
        if not self._visit.controls.may(Role.TRADER):
            return
        if self._collection is None:
            self._collection = CollectionForm(self._visit)
        self._collection.show(self._visit.state)
        self._collection.open()
        self._lay_out(self._collection)

    def _lay_out(self, form: Asking) -> None:
        """Only once it is filled: of what changes while the browser makes a field, the field may never hear."""
        if form.view() not in self._forms.objects:
            self._forms.append(form.view())

    async def _on_cancel(self, row: Row) -> None:
        known = next((one for one in self._visit.state.jobs if one.job == row["job"]), None)
        if known is None or known.kind is not JobKind.DOWNLOAD or known.state in ENDED:
            return
        job = known.job
        lines = [f"{known.series}: {known.progress:.0%} is done; {known.rows:,} rows came, and stay stored."]
        if await self._visit.confirm(f"Cancel {job}?", lines, "Cancel the download"):
            await self._visit.do(lambda client, by: client.cancel_job(job, by), f"{job} is cancelled.")

    async def _on_again(self, row: Row) -> None:
        job = row["job"]
        await self._visit.do(lambda client, by: _ask_again(client, job, by), f"What {job} left is asked for.")

    async def _on_stop(self, row: Row) -> None:
        name = row["name"]
        known = next((one for one in self._visit.state.collections if one.name == name), None)
        if known is None or known.state not in OPEN_STATES:
            return
        what = f"{', '.join(kinds_of(known))} of {', '.join(known.symbols)} at {', '.join(known.venues)}"
        lines = [f"It records {what}.", f"Its {known.rows:,} rows stay. What others want is recorded on."]
        if await self._visit.confirm(f"Stop the collection {name}?", lines, "Stop"):
            await self._visit.do(lambda client, by: client.stop_collection(name, by), f"{name} is stopped.")

    async def _on_collect_again(self, row: Row) -> None:
        known = next((one for one in self._visit.state.collections if one.name == row["name"]), None)
        if known is None or known.state in OPEN_STATES:
            return
        request = CollectionRequest(
            venues=known.venues,
            symbols=known.symbols,
            trades=known.trades,
            intervals=known.intervals,
            funding=known.funding,
            book_levels=known.book_levels,
        )
        await self._visit.do(
            lambda client, by: client.start_collection(request, by), f"The same as {known.name} is recorded again."
        )


def _ask_again(client: Client, job: str, by: str) -> object:
    return client.start_job(client.job(job).request, by)


def _opener(label: str, act: Callable[[Any], object]) -> Any:
    return pmui.Button(label=label, variant="outlined", size="small", on_click=act, margin=(7, 4))
