// What figures share: one `import { ... } from "./kit.js"` at most in each of them. The parts stand in the order in which
// figures/figure.py joins them: `export` only before `const`, `function`, `async function` or `default`, no template literal over several lines.
export * from "./kit/dom.js";
export * from "./kit/numbers.js";
export * from "./kit/geometry.js";
export * from "./kit/chance.js";
export * from "./kit/frame.js";
export * from "./kit/parts.js";
export * from "./kit/controls.js";
export * from "./kit/predict.js";
export * from "./kit/plot.js";
export * from "./kit/heat.js";
export * from "./kit/network.js";
export * from "./kit/store.js";
export * from "./kit/speech.js";
