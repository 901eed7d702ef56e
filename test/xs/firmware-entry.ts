/** The firmware alone: what its modules take on an engine that loads them into RAM. */
export { makeConfig } from "../../src/config";
export { Terminal } from "../../src/terminal";
