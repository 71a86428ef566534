// Puts the modules into the page (static site) or into a widget's element (JupyterLab, Notebook, Colab).

// The little of anywidget's model that a figure uses, over a plain object.
export function modelOf(state) {
  const heard = {};
  return {
    get: (k) => state[k],
    set(k, v) { state[k] = v; (heard["change:" + k] || []).forEach((f) => f()); },
    on(event, f) { (heard[event] ||= []).push(f); },
    off(event, f) { heard[event] = (heard[event] || []).filter((g) => g !== f); },
    save_changes() {},
  };
}

// One figure after another, each in a task of its own: a reader's tap or key is heard in between.
export async function mountAll(modules, page = document) {
  for (const figure of page.querySelectorAll("[data-nfig]:not([data-on])")) {
    const module = modules[figure.dataset.nfig];
    if (!module) continue;
    await new Promise((done) => setTimeout(done));
    const el = document.createElement("div"), data = figure.querySelector("script[type='application/json']");
    module.render({ model: modelOf(JSON.parse(data.textContent)), el });
    figure.querySelector(".nfig-body").append(el);
    figure.dataset.on = "1";
  }
}

// anywidget: the same shell as the page has, filled by the module; Python sends shell and state as two traits.
export function framed(module) {
  return { render({ model, el }) {
    el.innerHTML = model.get("shell");
    const live = document.createElement("div"), figure = el.querySelector("figure");
    const off = module.render({ model: modelOf(structuredClone(model.get("state"))), el: live });
    figure.querySelector(".nfig-body").append(live);
    figure.dataset.on = "1";
    return off;
  } };
}

// Mounts what the page holds as soon as all of its modules, which are deferred scripts, have run.
export function start(modules) {
  const mount = () => mountAll(modules);
  if (document.readyState === "complete") mount();
  else addEventListener("DOMContentLoaded", mount);
}
