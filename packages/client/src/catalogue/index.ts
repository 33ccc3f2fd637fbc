/**
 * Pools that nodes list: what can be contributed to and asked, before anything is verified or sent.
 *
 * @module
 */
export {
  type CatalogueCallOptions,
  type CatalogueEntry,
  type CatalogueOptions,
  type CataloguePage,
  type SimilarEntry,
  type SimilarOptions,
  searchCatalogue,
  similarPools,
} from './catalogue.js'
