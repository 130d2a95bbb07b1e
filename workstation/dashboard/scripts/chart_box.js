// A chart's box: BokehJS makes the chart from a text, in a document of its own. What the page does with it is told by
// the components beside it, which find it in `charts`.
const LIGHT = 2, DARK = 3 // places in a paint: model, property, and the colour in either theme

export function render({model}) {
  const note = node("p", {class: "over", role: "status"}), root = node("div", {class: "chart"}, note)
  let number = 0, made = null, paints = [], making = Promise.resolve(), isGone = false

  const isWanted = () => !isGone && model.text && model.number !== number
  async function make() {
    while (!isGone && !root.isConnected) await new Promise(requestAnimationFrame)
    if (!isWanted()) return
    drop()
    number = model.number
    const told = JSON.parse(model.text)
    await Bokeh.embed.embed_item(told.item, root)
    made = Bokeh.documents.findLast((one) => one.get_model_by_id(told.item.root_id))
    paints = told.paints
    if (isGone) return drop()
    paint()
    charts.set(number, made)
    dispatchEvent(new CustomEvent("workstation-chart", {detail: number}))
  }
  function drop() {
    charts.delete(number)
    if (!made) return
    made.clear()
    Bokeh.documents.splice(Bokeh.documents.indexOf(made), 1)
    made = null
  }
  function paint() {
    for (const paint of made ? paints : []) {
      const [id, name] = paint
      made.get_model_by_id(id)?.setv({[name]: paint[model.is_dark ? DARK : LIGHT]})
    }
    for (const {canvas_view} of made?.views_manager.query((view) => view.canvas_view) ?? []) {
      const {canvas} = canvas_view.primary
      canvas.width = canvas.width // wiped: over a half pixel at its edge the other theme's ground would stay
    }
  }

  const onNote = ({detail}) => { if (detail.number === model.number && note.textContent !== detail.text) note.textContent = detail.text }
  addEventListener("workstation-chart-note", onNote)
  const makeSoon = () => { making = making.then(make, make) }
  model.on("number", makeSoon)
  model.on("is_dark", paint)
  model.on("remove", () => { isGone = true; drop(); removeEventListener("workstation-chart-note", onNote) })
  makeSoon()
  return root
}
