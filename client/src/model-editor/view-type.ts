/** The id of the model editor in the manifest; settings such as `workbench.editorAssociations` name it. */
export const viewType = "prunescope.model";
