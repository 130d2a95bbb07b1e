// A chart's box: BokehJS makes the chart from a text, in a document of its own. What the page does with it is told by
// the components beside it, which find it in `charts`.
const LIGHT = 2, DARK = 3 // places in a paint: model, property, and the colour in either theme

export function render({model}) {
  const note = node("p", {class: "over", role: "status"}), root = node("div", {class: "chart"}, note)
  let number = 0, made = null, paints = [], making = Promise.resolve(), isGone = false
  let told = "", fault = "" // what is said over the chart: by others, or that there is none

  const isWanted = () => !isGone && model.text && model.number !== number
  async function make() {
    while (!isGone && !root.isConnected) await new Promise(requestAnimationFrame)
    if (!isWanted()) return
    drop()
    number = model.number
    const {item, paints: colours} = JSON.parse(model.text)
    try {
      await Bokeh.embed.embed_item(item, root)
    } catch (error) {
      made = holding(item.root_id)
      drop()
      number = 0 // tried again when the page is turned to
      fault = "The chart could not be drawn: load the page again."
      say()
      throw error
    }
    made = holding(item.root_id)
    paints = colours
    fault = ""
    say()
    if (isGone) return drop()
    colour()
    charts.set(number, made)
    dispatchEvent(new CustomEvent("workstation-chart", {detail: number}))
  }
  const holding = (id) => Bokeh.documents.findLast((one) => one.get_model_by_id(id)) ?? null
  function drop() {
    charts.delete(number)
    if (!made) return
    made.views_manager?.clear() // its view of notifications too, which is no root
    made.clear()
    const at = Bokeh.documents.indexOf(made)
    if (at >= 0) Bokeh.documents.splice(at, 1)
    made = null
  }
  function colour() {
    for (const paint of made ? paints : []) {
      const [id, name] = paint
      made.get_model_by_id(id)?.setv({[name]: paint[model.is_dark ? DARK : LIGHT]})
    }
  }
  function repaint() { // in the other theme; what is wiped is painted again, as its colours are others now
    for (const {canvas_view} of made?.views_manager.query((view) => view.canvas_view) ?? []) {
      const {canvas} = canvas_view.primary
      canvas.width = canvas.width // over a half pixel at its edge the other theme's ground would stay
    }
    colour()
  }

  const say = () => { if (note.textContent !== (fault || told)) note.textContent = fault || told }
  const onNote = ({detail}) => { if (detail.number === model.number) told = detail.text, say() }
  addEventListener("workstation-chart-note", onNote)
  const makeSoon = () => { making = making.then(make, make) }
  model.on("number", makeSoon)
  model.on("is_dark", repaint)
  addEventListener("workstation-turned", makeSoon)
  model.on("remove", () => {
    isGone = true
    drop()
    removeEventListener("workstation-chart-note", onNote)
    removeEventListener("workstation-turned", makeSoon)
  })
  makeSoon()
  return root
}
