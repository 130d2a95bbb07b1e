// A table: heads that sort, rows as they are told, and only those cells are touched whose words changed.
const BUTTON = 72, OLD_MS = 10_000
const FIGURES = ["price", "quantity", "signed", "age", "span", "share"]

export function render({model}) {
  const el = node, columns = model.columns, acts = Object.entries(model.buttons)
  // buttons that stand where a column says certain words never stand together: one place does for all of them
  const places = acts.length && acts.every(([, [, , where]]) => where) ? [acts] : acts.map((one) => [one])
  const [PRICE, QUANTITY, SESSION] = [0, 1, 2].map((one) => columns.length + one)
  const count = el("span", {}), note = el("p", {class: "teach", role: "status"})
  const csv = el("button", {type: "button", class: "csv", "aria-label": `${model.title} as CSV`, onclick: () => save()}, "CSV")
  const widths = columns.map(() => el("col", {})), body = el("tbody", {})
  const heads = columns.map((column, at) => el("th", {scope: "col", class: kindOf(column)},
    el("button", {type: "button", onclick: () => sort(at)}, column.title)))
  const table = el("table", {"aria-label": model.title},
    el("colgroup", {}, ...widths, ...places.map(() => el("col", {style: `width:${BUTTON}px`}))),
    el("thead", {}, el("tr", {}, ...heads, ...places.map((some) => el("th", {scope: "col", "aria-label": some.map(([name]) => name).join(", ")})))), body)
  const root = el("section", {class: "table"},
    el("div", {class: "head"}, el("h3", {}, model.title, " ", count), el("span", {class: "space"}), csv),
    el("div", {class: "scroll"}, table), note)
  let lines = [] // as drawn: {tr, cells, said, row}
  let told = null, sorted = null, hidden = new Set()

  function kindOf({kind}) { return FIGURES.includes(kind) ? "figure" : "" }

  // -- words

  const number = (value) => value === null || value === "" ? null : Number(value)
  function words(row, at) { // [text, class, title]
    const {kind, digits} = columns[at], value = row[at]
    if (kind === "price") return [figure(value, row[PRICE])]
    if (kind === "quantity") return [figure(value, row[QUANTITY])]
    if (kind === "signed") return [signed(value, digits), value === null ? "" : sign(value)]
    if (kind === "age") return [age(since(value)), since(value) > OLD_MS ? "old" : ""]
    if (kind === "span") return [age(value === null ? null : value * 1000)]
    if (kind === "share") return [value === null ? UNKNOWN : `${Math.floor(value * 100)} %`, value === null ? "" : "share"]
    if (kind === "side") return [`${isUp(value) ? "▲" : "▼"} ${value}`, isUp(value) ? "up" : "down"]
    return [value === null || value === undefined || value === "" ? UNKNOWN : String(value), kind === "id" ? "id" : "", value]
  }
  const since = (ms) => ms === null || !told?.now_ms ? null : Math.max(0, told.now_ms - ms)
  const isUp = (side) => side === "buy" || side === "long"

  // -- rows

  function rowsNow() {
    if (!model.source) return model.rows
    const rows = told?.[`${model.source}_rows`] ?? []
    return model.session ? rows.filter((row) => row[SESSION] === model.session) : rows
  }
  function inOrder(rows) {
    if (sorted === null) return rows
    const {at, way} = sorted, isFigure = FIGURES.includes(columns[at].kind)
    const isAge = columns[at].kind === "age"
    const key = (row) => isFigure ? number(row[at]) : row[at] || null
    return [...rows].sort((a, b) => {
      const [x, y] = [key(a), key(b)]
      if (x === null || y === null) return (x === null) - (y === null) // what is not known comes last, either way
      return way * (isFigure ? isAge ? y - x : x - y : String(x).localeCompare(String(y)))
    })
  }
  function sort(at) {
    sorted = sorted?.at !== at ? {at, way: 1} : sorted.way === 1 ? {at, way: -1} : null
    heads.forEach((head, other) => {
      if (other === sorted?.at) head.setAttribute("aria-sort", sorted.way === 1 ? "ascending" : "descending")
      else head.removeAttribute("aria-sort")
    })
    draw()
  }
  function draw() {
    if (!isSeen(root)) return // out of sight: drawn when it is seen
    const all = rowsNow(), isHeard = !model.source || (told !== null && told.silent_s !== null)
    const shown = inOrder(all).slice(0, model.most)
    count.textContent = all.length || ""
    csv.disabled = !all.length
    note.textContent = !isHeard ? "Loading…" : !all.length ? model.empty
      : all.length > model.most ? `The first ${model.most} of ${all.length}; the CSV has these ${all.length}.` : ""
    const known = new Map()
    for (const one of lines) known.set(who(one.row), [...known.get(who(one.row)) ?? [], one])
    lines = shown.map((row) => tell(known.get(who(row))?.shift() ?? line(), row))
    for (const gone of known.values()) gone.forEach(({tr}) => tr.remove())
    lines.forEach(({tr}, at) => { if (body.rows[at] !== tr) body.insertBefore(tr, body.rows[at] ?? null) })
  }
  // a line stays with what it tells of: whoever is about to press its button presses no other one's
  const NAMES = columns.map((_, at) => at).filter((at) => ["text", "id", "side", "age"].includes(columns[at].kind))
  const who = (row) => JSON.stringify([row[SESSION], ...NAMES.map((at) => row[at])])
  function line() {
    const cells = columns.map((column, at) => el("td", {class: kindOf(column), hidden: hidden.has(at)}))
    const buttons = acts.map(([name, [word, what]]) => el("button", {type: "button", title: what,
      onclick: (event) => { event.stopPropagation(); say(made.row, name) }}, word))
    const tr = el("tr", {}, ...cells, ...places.map((some) => el("td", {class: "act"}, ...some.map((one) => buttons[acts.indexOf(one)]))))
    const made = {tr, cells, buttons, said: columns.map(() => null), row: null}
    if (model.opens) {
      tr.tabIndex = 0
      tr.className = "opens"
      tr.addEventListener("click", () => say(made.row))
      tr.addEventListener("keydown", (event) => { if (event.key === "Enter" && event.target === tr) say(made.row) })
    }
    columns.forEach((column, at) => { if (column.kind === "id") cells[at].addEventListener("click", () => copy(cells[at], made.row[at])) })
    return made
  }
  function tell(one, row) {
    one.row = row
    columns.forEach((column, at) => {
      const [text, kind = "", title = ""] = words(row, at), cell = one.cells[at], said = `${kind} ${text} ${title}`
      if (one.said[at] === said) return
      one.said[at] = said
      cell.textContent = text
      cell.className = `${kindOf(column)} ${kind}`
      cell.title = column.kind === "id" ? `Copy ${title}` : title ?? ""
      if (column.kind === "share") cell.style.setProperty("--share", text === UNKNOWN ? "0%" : `${row[at] * 100}%`)
    })
    acts.forEach(([, [, , where]], at) => {
      one.buttons[at].hidden = Boolean(where) && !Object.entries(where).every(([name, said]) => said.includes(row[columnAt(name)]))
      one.buttons[at].disabled = !model.acts
    })
    return one
  }
  const columnAt = (name) => columns.findIndex((one) => one.name === name)
  const say = (row, button) => model.send_msg({row: Object.fromEntries(columns.map(({name}, at) => [name, row[at]])), ...(button && {button})})
  async function copy(cell, text) {
    if (!navigator.clipboard) return
    await navigator.clipboard.writeText(text)
    cell.classList.add("copied")
    setTimeout(() => cell.classList.remove("copied"), 900)
  }
  const save = () => download(`${model.title.toLowerCase().replaceAll(" ", "_")}.csv`, columns.map(({name}) => name),
    inOrder(rowsNow()).map((row) => columns.map(({kind}, at) => kind === "age" ? new Date(row[at]).toISOString()
      : FIGURES.includes(kind) ? number(row[at]) : row[at] ?? "")))

  // -- room: what does not fit goes by rank, the rest shares what is left

  function fit() {
    const room = root.clientWidth - places.length * BUTTON
    if (room <= 0) return
    let kept = columns.map((_, at) => at)
    const least = () => kept.reduce((sum, at) => sum + columns[at].least, 0)
    while (least() > room) {
      const rank = Math.max(...kept.map((at) => columns[at].rank))
      if (!rank) break
      kept = kept.filter((at) => columns[at].rank < rank)
    }
    const spare = Math.max(0, room - least()), shares = kept.reduce((sum, at) => sum + columns[at].grow, 0) || 1
    hidden = new Set(columns.map((_, at) => at).filter((at) => !kept.includes(at)))
    columns.forEach(({least: own, grow}, at) => {
      widths[at].style.width = `${own + spare * grow / shares}px`
      for (const one of [widths[at], heads[at], ...lines.map(({cells}) => cells[at])]) one.hidden = hidden.has(at)
    })
    table.style.minWidth = `${least() + places.length * BUTTON}px`
    draw()
  }
  const stopSight = onSight(root, fit)

  const stop = model.source ? live.watch("state", {whole: (now) => { told = now; draw() }}) : null
  for (const name of ["rows", "session", "empty", "acts"]) model.on(name, draw)
  model.on("remove", () => { stop?.(); stopSight() })
  return root
}
