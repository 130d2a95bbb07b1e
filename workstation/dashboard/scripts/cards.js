// The figures of one session, or of all of a currency together, in one row.
export function render({model}) {
  const root = node("div", {class: "cards", role: "group", "aria-label": "Results"})
  let told = null

  function draw() {
    if (told === null || !root.checkVisibility()) return
    const chosen = (told?.sessions ?? []).filter((one) => model.session ? one.session === model.session : !["stopped", "broken"].includes(one.status))
    if (!chosen.length) { root.replaceChildren(); return }
    const currency = chosen[0].currency, same = chosen.filter((one) => one.currency === currency)
    const names = new Set(same.map((one) => one.session))
    const held = told.positions.filter((one) => names.has(one.session) && Number(one.quantity))
    const sum = (values) => values.some((value) => value === null) ? null : values.reduce((all, value) => all + Number(value), 0)
    const traded = sum(same.map((one) => one.equity === null ? null : Number(one.equity) - Number(one.opening_equity)))
    const fees = fee(same), open = sum(same.map((one) => one.open_groups))
    root.replaceChildren(
      card("equity", figure(sum(same.map((one) => one.equity))), currency),
      card("day", signed(sum(same.map((one) => one.day_pnl))), currency, sign(sum(same.map((one) => one.day_pnl))), "Made by trading since 00:00 UTC"),
      card("by trading", signed(traded), currency, sign(traded), "Since the session began, without what its opening coins gained or lost"),
      card("realized", signed(sum(same.map((one) => one.realized_pnl))), currency, sign(sum(same.map((one) => one.realized_pnl))), "Before fees"),
      card("unrealized", signed(sum(held.map((one) => one.unrealized_pnl))), currency, sign(sum(held.map((one) => one.unrealized_pnl)))),
      card("fees", fees.text, fees.unit),
      card("open", `${open}`, open === 1 ? "group" : "groups"),
      card("signals", `${sum(same.map((one) => one.signals))}`, `· ${sum(same.map((one) => one.refusals))} refused`))
  }
  const card = (name, value, unit, kind = "", title = null) => node("div", {class: "card", title},
    node("small", {}, name), node("span", {}, node("b", {class: kind}, kind === "up" ? `▲ ${value}` : kind === "down" ? `▼ ${value}` : value), " ", node("small", {}, unit)))
  function fee(sessions) {
    const sums = new Map()
    for (const one of sessions) for (const [currency, paid] of Object.entries(one.fees)) sums.set(currency, (sums.get(currency) ?? 0) + Number(paid))
    if (!sums.size) return {text: figure(0), unit: sessions[0].currency}
    const [[currency, paid], ...more] = [...sums].sort()
    return {text: figure(paid, Math.abs(paid) < 1 ? 4 : 2), unit: more.length ? `${currency} +${more.length}` : currency}
  }

  const stop = live.watch("state", {whole: (now) => { told = now; draw() }})
  model.on("session", draw)
  const stopSight = onSight(root, draw)
  model.on("remove", () => { stop(); stopSight() })
  return root
}
