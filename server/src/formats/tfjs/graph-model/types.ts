/** Element types by TensorFlow's names, as TensorFlow.js has them: whole numbers are int32, others float. */
import type { DType } from "../../../../protocol/model.js";
import type { NodeDef } from "./node-def.js";

const dtypes: Readonly<Record<string, DType>> = {
  DT_BFLOAT16: "float",
  DT_BOOL: "bool",
  DT_COMPLEX64: "other",
  DT_DOUBLE: "float",
  DT_FLOAT: "float",
  DT_HALF: "float",
  DT_INT16: "int32",
  DT_INT32: "int32",
  DT_INT64: "int32",
  DT_INT8: "int32",
  DT_RESOURCE: "other",
  DT_STRING: "string",
  DT_UINT8: "int32",
  DT_VARIANT: "other",
};

/** The element type that an attribute names; float where it has none. */
export function dtypeOf(node: NodeDef, attribute: string): DType {
  const name = node.type(attribute);
  return Object.hasOwn(dtypes, name) ? dtypes[name]! : "float";
}
