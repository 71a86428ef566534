// The rules for the course's JavaScript: ESLint's own recommendation and what is worth more than taste.
import js from "@eslint/js";
import globals from "globals";

const rules = {
  ...js.configs.recommended.rules,
  "no-unused-vars": ["error", { argsIgnorePattern: "^_", ignoreRestSiblings: true, varsIgnorePattern: "^_$" }],
  "no-var": "error",
  "prefer-const": "error",
  "eqeqeq": ["error", "always", { null: "ignore" }],
  "no-implicit-globals": "error",
  "no-eval": "error",
  "no-implied-eval": "error",
  "no-new-func": "error",
  "no-script-url": "error",
  "consistent-return": "off",
  "require-await": "error",
};

export default [
  { ignores: ["companion/figures/js/parts/fsrs.js", "site/vendor/**"] },
  { files: ["companion/figures/js/**/*.js"], languageOptions: { sourceType: "module", globals: globals.browser }, rules },
  { files: ["site/*.js"], languageOptions: { sourceType: "script", globals: { ...globals.browser, NFIG: "readonly", Search: "readonly" } }, rules },
  { files: ["tests/site/js/*.mjs"], languageOptions: { sourceType: "module", globals: globals.node }, rules },
];
