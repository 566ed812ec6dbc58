/** The models that are open in a view, and the one whose view is active. */
import { EventEmitter, type Event, type Uri } from "vscode";
import type { Recipe } from "../../../server/protocol/recipe.js";
import type { ModelDocument } from "./model-document.js";

export class OpenModels {
  readonly #models = new Map<string, ModelDocument>();
  readonly #recipes = new Map<string, Recipe>();
  readonly #activity = new EventEmitter<ModelDocument>();
  #active: { readonly model: ModelDocument; readonly view: object } | null = null;

  /** An open model's activity changed, or a model was opened or closed. */
  readonly onActivity: Event<ModelDocument> = this.#activity.event;

  get all(): readonly ModelDocument[] {
    return [...this.#models.values()];
  }

  get active(): ModelDocument | null {
    return this.#active?.model ?? null;
  }

  find(uri: Uri | string): ModelDocument | null {
    return this.#models.get(typeof uri === "string" ? uri : uri.toString()) ?? null;
  }

  add(model: ModelDocument): void {
    this.#models.set(model.uri.toString(), model);
    this.#activity.fire(model);
  }

  remove(model: ModelDocument): void {
    if (this.#models.get(model.uri.toString()) === model) this.#models.delete(model.uri.toString());
    if (this.#active?.model === model) this.#active = null;
    this.#activity.fire(model);
  }

  /** Remembers the recipe with which a model is going to be opened. */
  expect(uri: Uri, recipe: Recipe): void {
    this.#recipes.set(uri.toString(), recipe);
  }

  /** The recipe that a model is opened with, once; null when none was chosen. */
  takeRecipe(uri: Uri): Recipe | null {
    const recipe = this.#recipes.get(uri.toString()) ?? null;
    this.#recipes.delete(uri.toString());
    return recipe;
  }

  /** `view` of `model` became active, or stopped being so. */
  setActive(model: ModelDocument, view: object, active: boolean): void {
    if (active) this.#active = { model, view };
    else if (this.#active?.view === view) this.#active = null;
  }

  /** The activity of `model` changed. */
  worked(model: ModelDocument): void {
    this.#activity.fire(model);
  }
}
