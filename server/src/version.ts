/** The version that saved models carry: package.json's, put in when the bundles are built. */
export { version } from "../../package.json";
