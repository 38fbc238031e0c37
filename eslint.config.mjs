import js from "@eslint/js";
import { defineConfig, globalIgnores } from "eslint/config";
import tseslint from "typescript-eslint";

/** server/ from the lowest layer up: each imports only those before it; the last line's not each other. */
const LAYERS = [
  "common",
  "protocol",
  "client",
  "wire",
  "pki",
  "targets",
  "calls",
  "jobs",
  "delegation",
];
const TOP_LAYERS = ["overlord", "cli", "minion"];
/** The folders of server/pki, in the same way. */
const PKI_FOLDERS = [
  "certificates",
  "documents",
  "revocation",
  "enrolment",
  "authority",
  "certmaster",
  "backup",
];

const NO_VSCODE = {
  regex: "^vscode$",
  message: "Only extension/ knows VS Code; everything else runs without it.",
};
const NO_LANGUAGE_CLIENT = {
  regex: "^vscode-languageclient",
  message: "427 kB that are loaded on first use: only extension/overlordClient.ts imports it.",
};
const NO_PRESENTATION = {
  regex: "^(\\.\\./)+(extension|media)/",
  message: "server/ and scripts/ stand below the extension and its webviews.",
};

/** Imports of any of these folders of server/, from within server/ or from beside it. */
function folders(names, message) {
  return { regex: `^(\\.\\./)+(server/)?(${names.join("|")})/`, message };
}

function restrict(...patterns) {
  return { "@typescript-eslint/no-restricted-imports": ["error", { patterns }] };
}

/** What a file of this layer may not import. */
function aboveLayer(layer) {
  const index = LAYERS.indexOf(layer);
  return [
    NO_VSCODE,
    NO_LANGUAGE_CLIENT,
    NO_PRESENTATION,
    folders(
      [...LAYERS.slice(index + 1), ...TOP_LAYERS],
      `server/${layer} may import only ${LAYERS.slice(0, index).join(", ") || "nothing of ours"}.`,
    ),
  ];
}

const layerRules = LAYERS.map((layer) => ({
  files: [`server/${layer}/**/*.ts`],
  rules: restrict(...aboveLayer(layer)),
}));
const pkiRules = PKI_FOLDERS.slice(0, -1).map((folder, index) => ({
  files: [`server/pki/${folder}/**/*.ts`],
  rules: restrict(...aboveLayer("pki"), {
    regex: `^\\.\\./(${PKI_FOLDERS.slice(index + 1).join("|")})/`,
    message: `server/pki/${folder} may import only ${PKI_FOLDERS.slice(0, index).join(", ") || "no other folder"} of server/pki.`,
  }),
}));
const topLayerRules = TOP_LAYERS.map((layer) => ({
  files: [`server/${layer}/**/*.ts`],
  rules: restrict(
    NO_VSCODE,
    NO_LANGUAGE_CLIENT,
    NO_PRESENTATION,
    folders(
      TOP_LAYERS.filter((other) => other !== layer),
      `${TOP_LAYERS.join(", ")} are programs of their own: what they share belongs into a lower layer.`,
    ),
  ),
}));

const extensionSees = {
  regex: "^(\\.\\./)+server/(?!(client|protocol|common)/)",
  message: "The extension is presentation only: it may import server/client, protocol and common.",
};

export default defineConfig(
  globalIgnores(["dist/", "node_modules/", "coverage/", ".e2e/", "**/.vscode-test/"]),
  // a rule is right for the whole folder or is changed here: no exceptions in the code
  { linterOptions: { noInlineConfig: true, reportUnusedDisableDirectives: "error" } },
  js.configs.recommended,
  {
    rules: {
      eqeqeq: "error",
      "max-lines": ["error", 400],
      // what XML cannot carry and terminals obey is the business of this project
      "no-control-regex": "off",
      "no-restricted-exports": [
        "error",
        {
          restrictDefaultExports: {
            direct: true,
            named: true,
            defaultFrom: true,
            namedFrom: true,
            namespaceFrom: true,
          },
        },
      ],
    },
  },
  {
    files: ["**/*.{ts,mts}"],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: {
      parserOptions: {
        projectService: { allowDefaultProject: ["vitest.config.mts"] },
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      // a type that contains itself can only be written with an index signature
      "@typescript-eslint/consistent-indexed-object-style": "off",
      "@typescript-eslint/consistent-type-imports": "error",
      // ["key"] says that the key comes from outside and may be missing
      "@typescript-eslint/dot-notation": ["error", { allowIndexSignaturePropertyAccess: true }],
      "@typescript-eslint/no-confusing-void-expression": [
        "error",
        { ignoreArrowShorthand: true, ignoreVoidOperator: true },
      ],
      "@typescript-eslint/no-misused-spread": ["error", { allow: ["string"] }],
      "@typescript-eslint/no-unnecessary-condition": [
        "error",
        { allowConstantLoopConditions: "only-allowed-literals" },
      ],
      // VS Code's classes (Disposable) are meant to be satisfied by shape
      "@typescript-eslint/no-unsafe-class-instance-assignment": "off",
      "@typescript-eslint/no-unused-vars": [
        "error",
        { argsIgnorePattern: "^_", varsIgnorePattern: "^_", ignoreRestSiblings: true },
      ],
      "@typescript-eslint/prefer-promise-reject-errors": ["error", { allowThrowingUnknown: true }],
      // an async function without await turns what it throws into a rejection: often wanted
      "@typescript-eslint/require-await": "off",
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/switch-exhaustiveness-check": [
        "error",
        { considerDefaultExhaustiveForUnions: true },
      ],
    },
  },
  {
    files: ["server/**/*.ts", "extension/**/*.ts", "media/**/*.ts"],
    rules: { "no-console": "error" },
  },
  ...layerRules,
  ...pkiRules,
  ...topLayerRules,
  {
    files: ["extension/**/*.ts"],
    rules: restrict(NO_LANGUAGE_CLIENT, extensionSees, {
      regex: "^(\\.\\./)*\\./overlordClient$|^(\\.\\./)+overlordClient$",
      allowTypeImports: true,
      message: "A bundle of its own, loaded on first use by import().",
    }),
  },
  { files: ["extension/overlordClient.ts"], rules: restrict(extensionSees) },
  {
    files: ["extension/webviews/{results,map}Protocol.ts"],
    rules: restrict(
      NO_VSCODE,
      { regex: "^vscode-", message: "The webviews import this file: types of our own only." },
      {
        regex: "^(\\.\\./)+server/(?!protocol/)",
        message: "The webviews import this file, and see server/protocol only.",
      },
    ),
  },
  {
    files: ["media/**/*.ts"],
    rules: restrict(
      NO_VSCODE,
      { regex: "^(node:|vscode-)", message: "Webviews run in a browser." },
      {
        regex: "^(\\.\\./)+(server/(?!protocol/)|extension/(?!webviews/(results|map)Protocol$))",
        message: "Webviews know the protocol's types and the messages of their own panel only.",
      },
      {
        regex: "^(\\.\\./)+server/protocol/",
        allowTypeImports: true,
        message: "Types only: the protocol's code is not for the browser.",
      },
    ),
  },
  {
    files: ["scripts/**/*.ts", "test/**/*.ts"],
    rules: restrict(NO_VSCODE, NO_LANGUAGE_CLIENT),
  },
  {
    files: ["**/*.mjs"],
    languageOptions: {
      globals: { Buffer: "readonly", URL: "readonly", console: "readonly", process: "readonly" },
    },
  },
  {
    // these tools want their configuration as the default export
    files: ["*.config.{mts,mjs}"],
    rules: { "no-restricted-exports": "off" },
  },
);
