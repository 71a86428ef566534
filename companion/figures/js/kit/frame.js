// The frame of a figure.

// Returns {off, keys}: what to undo at the end, and own key handling. JupyterLab and Notebook 7 act on bare keys in
// a bubbling listener on the document; the capture phase of the window comes first, so ours stay inside the figure.
export function root(el) {
  el.classList.add("nfig-live");
  const handlers = new Map(), off = [];
  const guard = (e) => {
    if (!el.contains(e.target) || e.ctrlKey || e.metaKey || e.altKey || e.key === "Tab" || e.key === "Escape") return;
    e.stopPropagation();
    for (const [node, f] of handlers) if (node.contains(e.target)) f(e);
  };
  addEventListener("keydown", guard, true);
  off.push(() => removeEventListener("keydown", guard, true));
  return { off: () => off.forEach((f) => f()), undo: (f) => off.push(f), keys: (node, f) => handlers.set(node, f) };
}
