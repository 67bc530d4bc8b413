// What the page shows and asks. All state is the server's; a frame brings it whole.

import { EnergyCurve, number, showAccuracy, showClasses, showWork } from "./charts.js";
import { Pad } from "./pad.js";
import { Panels } from "./panels.js";
import { put } from "./picture.js";
import { Wire } from "./wire.js";

const at = (id) => document.getElementById(id);
const RATES = [1, 2, 5, 10, 20, 40, 60, 120, 250, 500, 1000, 5000, 0];
const TRAIN_RATES = [1, 10, 100, 1000, 10000];

let network = null;
let frame = null;
let sample = null;
let labelled = null; // the image whose class the field of classes shows
let beside = false;
let parting = null; // where another machine leaves the simulator's way

const wire = new Wire(hear, (line) => { clearTimeout(waiting); tell(line); });
const WORKING = "Working. The first time, code is compiled for what was asked.";
let waiting = 0;
let loopBefore = null; // what was said of the loop, while a change of couplings is under way
let asked = 0; // commands of this session; a frame says how many the server has carried out

// What was said of the last command is no longer true; what is said of this one stays.
function ask(command) {
  if (!wire.send(command)) return;
  asked += 1;
  tell("");
  clearTimeout(waiting);
  waiting = setTimeout(() => tell(WORKING), 2000);
}

const panels = new Panels(at("panels"), at("legend"), (population, neurons) => {
  ask({ do: "paint", population, neurons, what: at("brush").value });
  play();
});
const energy = new EnergyCurve(at("energy"), at("energy-said"));
const pad = new Pad(at("pad"), (values) => {
  ask({ do: "pixels", values });
  play();
});

function tell(line) {
  at("trouble").textContent = line;
  at("trouble").hidden = !line;
}

// The number in a field, where it is one that the field takes; else a line says what it takes.
function numberIn(id, words, whole = true) {
  const { value, min, max } = at(id);
  const found = Number(value);
  const takes = value.trim() !== "" && found >= Number(min) && found <= Number(max);
  if (takes && (!whole || Number.isInteger(found))) return found;
  const kind = whole ? "a whole number" : "a number";
  tell(`The ${words} must be ${kind} in ${min} to ${max}, found ${value.trim() || "nothing"}.`);
  return null;
}

function options(select, entries) {
  select.replaceChildren(...entries.map(([value, words]) => new Option(words, value)));
}

function palette() {
  return network.palettes[at("palette").value];
}

function hear(header, planes) {
  if (header.network) {
    asked = 0;
    build(header.network);
  }
  const done = header.taken >= asked;
  if (done) clearTimeout(waiting);
  frame = { ...header, planes };
  if (header.error && loopBefore !== null) at("loop").textContent = loopBefore;
  if (header.error || header.state) loopBefore = null;
  if (header.state) showState(header.state);
  if (header.error || (done && at("trouble").textContent === WORKING)) tell(header.error ?? "");
  if (header.machine) showMachine(header.machine);
  energy.take(header.curve);
  showInput(header.input);
  showFrame();
}

function build(found) {
  network = found;
  at("about").textContent = `${found.name}, ${found.replayed ? "of" : "on"} ${found.data}`;
  document.body.classList.toggle("replayed", found.replayed);
  panels.build(found);
  pad.build(found.image);
  pad.canvas.setAttribute("aria-label", `input, ${found.image.height} by ${found.image.width}`);
  options(at("palette"), Object.keys(found.palettes).map((name) => [name, name]));
  options(at("brush"), found.paints.map((name) => [name, name]));
  options(at("machine"), Object.entries(found.machines));
  options(at("layer"), found.layers.map((one) => [one.kind, one.kind.replaceAll("_", " ")]));
  if (!found.replayed) chooseLayer();
  at("sample").max = found.samples - 1;
  at("class").max = found.classes - 1;
  panels.explain(palette());
}

function showInput(input) {
  sample = input.sample;
  pad.set(input.pixels, input.painted);
  if (document.activeElement !== at("sample") && sample !== null) at("sample").value = sample;
  if (sample !== null && sample !== labelled) {
    labelled = sample;
    at("class").value = input.label;
  }
  const own = network.replayed ? "the image of the recording" : "your own image";
  at("label").textContent = sample === null ? own : `test image ${sample}, labelled ${input.label}`;
}

function showFrame() {
  const { view, counts } = frame;
  panels.show(frame.planes, palette(), frame.beside);
  if (beside && !frame.beside) forgetMachine();
  beside = frame.beside;
  panels.mark(parting?.phase === view.phase && parting?.tick === view.tick ? parting : null);
  const event = view.event === null ? "" : `, event ${view.event} of ${view.changes}`;
  at("where").textContent = `${view.name} phase, tick ${view.tick}${event}, sweep ${view.sweep}`;
  at("end").textContent = ending(view);
  at("end").className = view.settled ? "settled" : view.ended ? "endless" : "";
  showPhases(frame.phases, view.phase);
  at("scrub").min = view.first;
  at("scrub").max = view.last;
  if (document.activeElement !== at("scrub") || frame.playing) at("scrub").value = view.tick;
  at("tick-said").textContent = `${view.tick} of ${view.last}`;
  at("play").textContent = frame.playing ? "Pause" : "Play";
  at("train").textContent = frame.learning ? "Stop" : "Train";
  energy.show(view.tick);
  showClasses(at("classes"), frame.scores, frame.best, network.rows);
  showWork(at("work"), counts);
  showReached(frame.reached, view);
}

function showPhases(phases, now) {
  const words = phases.map((phase, k) => `${k + 1} ${phase.name}`);
  const known = Array.from(at("phase").options, (option) => option.text);
  if (words.join() !== known.join()) options(at("phase"), words.map((text, k) => [k, text]));
  if (document.activeElement !== at("phase") || frame.playing) at("phase").value = now;
}

function ending(view) {
  if (!view.ended) return "This phase goes on.";
  if (view.settled) return `✓ This phase settled at tick ${view.last}, sweep ${view.sweeps}.`;
  return view.period
    ? `↻ This phase cycles: states return after ${view.period} sweeps. Seen by sweep ${view.sweeps}.`
    : `… This phase had not settled after ${view.sweeps} sweeps, where it was ended.`;
}

function showReached(reached, view) {
  const names = Object.keys(reached);
  if (!names.length) {
    at("reached").textContent =
      "A nudged phase goes on from the free equilibrium and shows how far credit runs back.";
    return;
  }
  const layers = names.filter((name) => reached[name] > 0);
  const parts = names.map((name) => `${name} ${number(reached[name])}`);
  const time = view.settled ? `${view.sweeps} sweeps` : "not settled yet";
  at("reached").textContent = `D_nudge: ${layers.length} layers reached (neurons moved: `
    + `${parts.join(", ")}); T_relax: ${time}.`;
}

function showState(state) {
  frame.state = state;
  at("breaks").replaceChildren(...state.breaks.map((words) => {
    const item = document.createElement("li");
    item.textContent = words.replaceAll("_", " ");
    return item;
  }));
  panels.markBroken(state.painted);
  at("undo").disabled = at("repair").disabled = !state.breaks.length;
  const back = state.returned;
  at("returned").textContent = back
    ? `${number(back.same)} of ${number(back.neurons)} neurons are in the sound equilibrium; `
      + `${back.same_class ? "the same class" : "another class"}.`
    : "";
  if (document.activeElement !== at("gain")) at("gain").value = state.settings.gain;
  at("gain-said").textContent = `${Number(state.settings.gain).toFixed(2)} times`;
  at("loop").textContent = state.gain
    ? `Spectral radius ${state.gain.radius.toFixed(3)}, ${side(state.gain.radius)}. `
      + `Lipschitz constant ${state.gain.lipschitz.toFixed(3)} of one update of all neurons, `
      + `${side(state.gain.lipschitz)}.${crossing(state)}`
    : "The spectral radius of this network is not computed.";
  if (network.replayed) return;
  at("settles").textContent = `${state.shown.schedule}: ${state.shown.settles
    ? "always settles" : state.shown.energy
      ? "may cycle with period 2" : "no energy, it may cycle with any period"}.`;
  at("schedule").value = state.settings.schedule;
  at("own").checked = state.settings.own_feedback;
  showTraining(state);
}

// At which scale the radius is 1; rounding of scaled weights moves it a little.
function crossing({ gain, settings }) {
  if (!(gain.radius > 0) || !(settings.gain > 0)) return "";
  return ` The radius is 1 near a scale of ${(settings.gain / gain.radius).toFixed(2)}.`;
}

const side = (value) => (value < 1 ? "below 1" : value > 1 ? "above 1" : "exactly 1");

function showTraining(state) {
  const training = state.training;
  at("forget").disabled = !training;
  showAccuracy(at("accuracy"), training ? training.curve : []);
  const last = training?.curve.at(-1);
  at("training").textContent = last
    ? `Images learned: ${number(training.samples)}. Right: ${(100 * last[1]).toFixed(1)} % of `
      + `${number(network.judged)} test images.`
    : "";
  at("moved").replaceChildren(...state.moved.map((one) => {
    const figure = document.createElement("figure");
    const canvas = document.createElement("canvas");
    const pixels = new Uint8ClampedArray(4 * one.cells.length);
    const inks = { 0: [0, 0, 0], 96: [110, 110, 110], 255: [240, 140, 0] };
    one.cells.forEach((v, k) => pixels.set([...inks[v], 255], 4 * k));
    put(canvas, pixels, one.width, one.height);
    const caption = document.createElement("figcaption");
    caption.textContent = `${one.coupling}: ${number(one.weights)} weights (orange) and `
      + `${number(one.latents)} latents (grey) of ${number(one.of)} moved`;
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", caption.textContent);
    figure.append(canvas, caption);
    return figure;
  }));
}

function showMachine(machine) {
  const { name, running, difference } = machine;
  parting = difference ? machine : null;
  panels.name(name.split(",")[0]);
  at("compare").disabled = running;
  at("go").hidden = !parting;
  const words = () => {
    const other = name.startsWith("Lava") ? name : `the ${name}`;
    if (running) return `Running on ${other}. What is compiled for it takes a minute the first time.`;
    if (machine.failed) return `Nothing came from ${other}: ${machine.failed}`;
    if (machine.late) return `What ${other} did is of another image or network. Compare again.`;
    return `First difference to ${other}: ${difference
      ?? "none, in any state of any tick of all phases."}`;
  };
  at("difference").textContent = words();
}

// The pictures of the other machine are gone: the tab shows something else.
function forgetMachine() {
  parting = null;
  at("go").hidden = true;
  at("difference").textContent = "";
}

function play() {
  ask({ do: "play", rate: RATES[at("speed").value] });
}

function togglePlay() {
  if (frame?.playing) ask({ do: "pause" });
  else play();
}

function step(unit, back) {
  ask({ do: "pause" });
  ask({ do: "step", unit, back });
}

function show(tick) {
  ask({ do: "pause" });
  ask({ do: "show", phase: frame.view.phase, tick });
}

function chooseLayer() {
  const chosen = network.layers.find((one) => one.kind === at("layer").value);
  const reads = chosen.kind === "read_noise"
    ? " Weights are read only where an event arrives: it shows in the next image, not at rest." : "";
  at("unit-said").textContent =
    `Level: ${chosen.unit}. That it settles is ${chosen.quiescence.replaceAll("`last_tick`", "its last tick")}.${reads}`;
  at("level").max = chosen.high;
  const weights = /weight|synapses|read_noise/.test(chosen.kind);
  const places = weights ? network.couplings
    : network.panels.filter((panel) => panel.role !== "input").map((panel) => panel.name);
  options(at("place"), [["", "all"], ...places.map((name) => [name, name])]);
}

function sayRates() {
  const rate = RATES[at("speed").value];
  at("speed-said").textContent = rate ? `${rate} ticks/s` : "no limit";
  at("train-said").textContent = `${number(TRAIN_RATES[at("train-speed").value])}/s`;
}

function present(which) {
  if (which === null) return;
  ask({ do: "present", sample: which });
  play();
}

function configure() {
  loopBefore ??= at("loop").textContent;
  at("loop").textContent = "The spectral radius is being computed.";
  ask({
    do: "couplings", gain: Number(at("gain").value), schedule: at("schedule").value,
    own_feedback: at("own").checked,
  });
  play();
}

function train() {
  ask({ do: "train", rate: TRAIN_RATES[at("train-speed").value] });
}

const clicks = {
  first: () => show(0),
  back: () => step(at("unit").value, true),
  play: togglePlay,
  forward: () => step(at("unit").value, false),
  settle: () => ask({ do: "play", rate: 0 }),
  clear: () => pad.clear(),
  next: () => present(((sample ?? -1) + 1) % network.samples),
  positive: () => nudge(1),
  negative: () => nudge(-1),
  learn: () => {
    const label = numberIn("class", "class");
    if (label === null) return;
    ask({ do: "learn", label });
    play();
  },
  train: () => (frame?.learning ? ask({ do: "pause" }) : train()),
  forget: () => { ask({ do: "pause" }); ask({ do: "forget" }); },
  damage: () => {
    const level = numberIn("level", "level", false);
    if (level === null) return;
    ask({ do: "damage", kind: at("layer").value, level, place: at("place").value });
    play();
  },
  undo: () => { ask({ do: "undo" }); play(); },
  repair: () => { ask({ do: "repair" }); play(); },
  go: () => ask({ do: "show", phase: parting.phase, tick: parting.tick }),
  compare: () => ask({ do: "machine", name: at("machine").value, fault: at("fault").checked }),
};

function nudge(sign) {
  const label = numberIn("class", "class");
  if (label === null) return;
  ask({ do: "nudge", label, sign });
  play();
}

for (const [id, act] of Object.entries(clicks)) at(id).addEventListener("click", act);
at("phase").addEventListener("change", () => {
  const phase = Number(at("phase").value);
  ask({ do: "pause" });
  ask({ do: "show", phase, tick: frame.phases[phase].last });
});
at("scrub").addEventListener("input", () => show(Number(at("scrub").value)));
at("speed").addEventListener("input", () => { sayRates(); if (frame?.playing) play(); });
at("train-speed").addEventListener("input", () => { sayRates(); if (frame?.learning) train(); });
at("sample").addEventListener("change", () => present(numberIn("sample", "test image")));
at("layer").addEventListener("change", chooseLayer);
at("palette").addEventListener("change", () => { panels.explain(palette()); showFrame(); });
for (const id of ["gain", "schedule", "own"]) at(id).addEventListener("change", configure);

document.addEventListener("keydown", (event) => {
  if (/^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName) || event.ctrlKey || event.metaKey) return;
  const onButton = event.target.tagName === "BUTTON";
  const keys = {
    ArrowLeft: () => step(event.shiftKey ? "sweep" : "tick", true),
    ArrowRight: () => step(event.shiftKey ? "sweep" : "tick", false),
    ",": () => step("event", true),
    ".": () => step("event", false),
    Home: () => show(0),
    End: clicks.settle,
    " ": onButton ? null : togglePlay,
  };
  if (keys[event.key]) {
    keys[event.key]();
    event.preventDefault();
  }
});
sayRates();
