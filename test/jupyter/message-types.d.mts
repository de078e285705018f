export const harmlessTypes: string[];
