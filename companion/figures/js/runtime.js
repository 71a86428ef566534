// Puts the modules into the page (static site) or into a widget's element (JupyterLab, Notebook, Colab).
import { h, linked, predictions } from "./kit.js";

// The little of anywidget's model that a figure uses, over a plain object.
export function modelOf(state) {
  const heard = {};
  return {
    get: (k) => state[k],
    set(k, v) { state[k] = v; (heard[`change:${k}`] || []).forEach((f) => f()); },
    on(event, f) { heard[event] = [...(heard[event] || []), f]; },
    off(event, f) { heard[event] = (heard[event] || []).filter((g) => g !== f); },
    save_changes() {},
  };
}

// Fills the shell of a figure. One that cannot start says so and keeps the picture of its default state.
function mount(figure, module, state) {
  const el = document.createElement("div");
  let off = () => {};
  try {
    off = module.render({ model: modelOf(state()), el });
    figure.querySelector(".nfig-body").append(el);
    figure.dataset.on = "1";
  } catch (error) {
    figure.querySelector(".nfig-body").append(sorry("This figure could not start, so it does not move here. What it shows at first stands above."));
    figure.dataset.on = "failed";
    console.error(error);
  }
  predictions(figure);
  return off;
}

const sorry = (text) => h("p", { class: "nfig-note", role: "status" }, text);

// A figure starts when the reader comes near it: a chapter opens without the work, and the layout, of those far below.
export function mountAll(modules, page = document) {
  const link = linked(location.search), seen = {}, waiting = new Map();
  for (const figure of /** @type {NodeListOf<HTMLElement>} */ (page.querySelectorAll("[data-nfig]:not([data-on])"))) {
    const kind = figure.dataset.nfig, n = (seen[kind] || 0) + 1, name = n > 1 ? `${kind}-${n}` : kind;
    seen[kind] = n;
    if (!modules[kind]) continue;
    if (!document.getElementById(`figure-${name}`)) figure.id = `figure-${name}`;
    waiting.set(figure, () => mount(figure, modules[kind], () => ({
      ...JSON.parse(figure.querySelector("script[type='application/json']").textContent),
      figure: name, linked: link?.figure === name ? link.values : null,
    })));
  }
  const asked = link && document.getElementById(`figure-${link.figure}`);
  whenNear(waiting, asked ? keptAt(asked) : () => {});
  if (!link) return;
  if (asked) asked.scrollIntoView();
  else page.querySelector("[data-nfig]")?.before(sorry(`The link asks for a figure that is not on this page: ${link.figure.slice(0, 60)}.`));
}

// Brings the page back to a figure when one above it has grown: for two seconds, or until the reader moves.
function keptAt(figure) {
  let still = true;
  const free = () => { still = false; };
  ["wheel", "touchstart", "pointerdown", "keydown"].forEach((k) => addEventListener(k, free, { passive: true, once: true }));
  setTimeout(free, 2000);
  return () => { if (still) figure.scrollIntoView(); };
}

// Runs what waits for an element once it is less than two screens of a phone away, each in a task of its own, so that a
// tap or a key is heard in between. Where the browser does not keep the reader's place when something above grows, all run at once.
function whenNear(waiting, afterwards) {
  const run = async (elements) => {
    for (const element of elements) {
      await new Promise((done) => setTimeout(done));
      waiting.get(element)?.();
      waiting.delete(element);
      afterwards();
    }
  };
  if (!("IntersectionObserver" in window) || !CSS.supports("overflow-anchor", "auto")) return void run([...waiting.keys()]);
  const watch = new IntersectionObserver((met) => {
    const near = met.filter((entry) => entry.isIntersecting).map((entry) => entry.target);
    near.forEach((element) => watch.unobserve(element));
    run(near);
  }, { rootMargin: "1600px 0px" });
  waiting.forEach((_, element) => watch.observe(element));
}

// anywidget: the same shell as the page has, filled by the module; Python sends shell and state as two traits.
export function framed(module) {
  return { render({ model, el }) {
    el.innerHTML = model.get("shell");
    return mount(el.querySelector("figure"), module, () => structuredClone(model.get("state")));
  } };
}

// Mounts what the page holds as soon as all of its modules, which are deferred scripts, have run.
export function start(modules) {
  const begin = () => mountAll(modules);
  if (document.readyState === "complete") begin();
  else addEventListener("DOMContentLoaded", begin);
}
