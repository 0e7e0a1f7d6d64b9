/** Style sheets are bundled into one file beside the script; importing one says that it belongs to the page. */
declare module "*.css";
