"""A figure as a notebook's widget, in a page of the browser."""

from __future__ import annotations

from companion import figures

MOUNT = """async ([source, state]) => {
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const { default: widget } = await import(url), el = document.createElement("div");
  const shell = '<figure class="nfig"><div class="nfig-body"></div></figure>';
  let listeners = 0;
  const add = window.addEventListener, remove = window.removeEventListener;
  window.addEventListener = (...a) => { listeners += 1; add.apply(window, a); };
  window.removeEventListener = (...a) => { listeners -= 1; remove.apply(window, a); };
  const off = widget.render({ model: { get: (k) => ({ shell, state })[k] }, el });
  document.body.append(el);
  const done = { text: el.querySelector(".nfig-live").innerText, held: listeners };
  window.unmount = () => {
    off();
    Object.assign(window, { addEventListener: add, removeEventListener: remove });
    el.remove();
    return listeners;
  };
  return done; }"""


def mounted(page, name: str, state: dict) -> dict:
    """Put a widget into the page; return its text and how many listeners the window holds for it."""
    return page.evaluate(MOUNT, [figures.figure.widget_module(name), state])


def unmounted(page) -> int:
    """Take the last widget out of the page again; return how many listeners are left."""
    return page.evaluate("unmount()")
