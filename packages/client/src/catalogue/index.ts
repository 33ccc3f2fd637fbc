/**
 * Pools that nodes list: what can be contributed to and asked, before anything is verified or sent.
 *
 * @module
 */
export {
  type CatalogueEntry,
  type CatalogueOptions,
  type CataloguePage,
  searchCatalogue,
} from './catalogue.js'
